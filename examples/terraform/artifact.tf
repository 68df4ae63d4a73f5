# What lpack knows of the zip, for every argument that has to agree with it.
locals {
  manifest_path = "${path.module}/../app/dist/api.lpack.json"
  manifest      = jsondecode(file(local.manifest_path))
  artifact      = "${dirname(local.manifest_path)}/${local.manifest.artifact.path}"
}
