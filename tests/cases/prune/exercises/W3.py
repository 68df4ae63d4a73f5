"""Fits and scores models, minimizes, interpolates, solves, keeps a model with joblib."""

import io

import handler
import joblib
import numpy as np
import pandas as pd
import scipy.integrate
import scipy.interpolate
import scipy.io
import scipy.linalg
import scipy.ndimage
import scipy.optimize
import scipy.signal
import scipy.sparse.linalg
import scipy.special
import scipy.stats
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

x, y = make_classification(n_samples=120, random_state=1)
forest = RandomForestClassifier(n_estimators=5, random_state=1, n_jobs=1).fit(x, y)
assert forest.score(x, y) > 0.9
assert GradientBoostingClassifier(n_estimators=3).fit(x, y).score(x, y) > 0.6
assert callable(check_estimator)
iris = load_iris(as_frame=True)
model = make_pipeline(StandardScaler(), LogisticRegression())
assert cross_val_score(model, iris.data, iris.target).mean() > 0.9
joblib.dump(forest, buffer := io.BytesIO())
assert (joblib.load(io.BytesIO(buffer.getvalue())).predict(x) == forest.predict(x)).all()
best = scipy.optimize.minimize(scipy.optimize.rosen, [1.3, 0.7])
assert np.allclose(best.x, 1, atol=1e-3)
assert scipy.optimize.linprog([1], bounds=(2, 3)).fun == 2
assert np.isclose(scipy.integrate.quad(np.sin, 0, np.pi)[0], 2)
assert np.isclose(
    scipy.integrate.solve_ivp(lambda _, v: -v, (0, 1), [1]).y[0, -1], 0.368, atol=1e-2
)
assert np.isclose(scipy.special.gamma(5), 24)
assert scipy.stats.ttest_ind([1, 2, 3], [4, 5, 6]).pvalue < 0.05
assert scipy.interpolate.CubicSpline([0, 1, 2], [0, 1, 4])(1) == 1
assert scipy.ndimage.gaussian_filter(np.eye(5), 1).shape == (5, 5)
assert scipy.signal.butter(2, 0.2)[0].size == 3
assert np.allclose(scipy.linalg.expm(np.zeros((2, 2))), np.eye(2))
assert scipy.sparse.linalg.spsolve(scipy.sparse.eye(3, format="csc"), np.ones(3)).sum() == 3
assert pd.DataFrame({"a": [3, 1]}).sort_values("a").a.tolist() == [1, 3]
assert handler.lambda_handler({}, None)["statusCode"] == 200
