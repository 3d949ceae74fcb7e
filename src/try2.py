from kindling_dev.settings import Settings
from kindling_dev.progress import Progress
from kindling_dev.spark_image import *
s=Settings.from_environment(); p=Progress()
for l in LINES.values(): print(ensure_spark_image(l,s,p))
