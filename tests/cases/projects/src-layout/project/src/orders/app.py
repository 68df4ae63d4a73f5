import alpha


def handler(event, context):
    return alpha.VALUE
