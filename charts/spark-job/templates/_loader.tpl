{{/*
How the submitter knows that its programs are the chart's: whoever may write ConfigMaps, a driver for one where no guard
holds it, could put others in their place, and have them run with the submitter's rights. No pod may write Jobs, so the Job
says what the chart made. Its pod template cannot: a mended program is no new run. Call both with a dict: root, configMap (its
name).

  spark-job.madeAnnotation   the annotation of a Job that says what its ConfigMap holds
  spark-job.loader           Python that compares what is mounted with that, copies it where nobody else writes, and starts
                             submit.py there. Arguments: the ConfigMap's name, then those of submit.py
*/}}

{{- define "spark-job.madeAnnotation" -}}
{{- $lines := list .configMap -}}
{{- range $file, $text := include "spark-job.data" . | fromYaml -}}
{{- $lines = append $lines (printf "%s  %s" (sha256sum $text) $file) -}}
{{- end -}}
kindling.local/config-sha256: {{ join "\n" $lines | sha256sum }}
{{- end }}

{{- define "spark-job.loader" -}}
{{ include "spark-common.askApiServer" . }}


import hashlib, http.client, shutil

MADE = "kindling.local/config-sha256"
MOUNTED, COPY = "/opt/kindling/", "/tmp/kindling/"
# What the image or a volume adds to Spark's configuration.
CONFIGURATION = "/opt/spark/conf/"
# The kubelet brings a changed ConfigMap into a running pod within a minute and a half.
LOOKS, PAUSE_S = 60, 2
NAME = sys.argv[1]


def mounted():
    return {file: open(MOUNTED + file, "rb").read() for file in os.listdir(MOUNTED) if not file.startswith("..")}


def digest(files):
    lines = [hashlib.sha256(files[file]).hexdigest() + "  " + file for file in sorted(files)]
    return hashlib.sha256("\n".join([NAME, *lines]).encode()).hexdigest()


def made():
    """By the Job; by its CronJob too, which an upgrade may have changed since, and the ConfigMap with it."""
    namespace = open(FOLDER + "/namespace").read()
    jobs = "/apis/batch/v1/namespaces/" + namespace
    pod = ask("GET", "/api/v1/namespaces/" + namespace + "/pods/" + os.environ["POD_NAME"])
    owners = pod["metadata"]["ownerReferences"]
    job = ask("GET", jobs + "/jobs/" + next(owner["name"] for owner in owners if owner["kind"] == "Job"))
    said = [job]
    for owner in job["metadata"].get("ownerReferences", []):
        if owner["kind"] == "CronJob":
            said.append(ask("GET", jobs + "/cronjobs/" + owner["name"])["spec"]["jobTemplate"])
    return [of["metadata"].get("annotations", {}).get(MADE) for of in said]


looks, told = 0, ""
while True:
    files = mounted()
    try:
        if digest(files) in made():
            break
        problem, away = "is not what the chart made", False
    except (OSError, ValueError, http.client.HTTPException) as error:
        problem, away = "cannot be compared with what the chart made: " + str(error), getattr(error, "code", 500) >= 429
    looks += not away
    if looks == LOOKS:
        message = 'ConfigMap "' + NAME + '" ' + problem + "; delete it and upgrade the release"
        print("kindling: " + message, flush=True)
        # The exit code counts, also where a pod template has moved that file.
        try:
            open("/dev/termination-log", "w").write(message)
        finally:
            sys.exit(78)
    if problem != told:
        print('kindling: ConfigMap "' + NAME + '" ' + problem + "; looking again", flush=True)
        told = problem
    time.sleep(PAUSE_S)
# Spark gives all files in the folder of its configuration to the driver.
os.makedirs(COPY + "conf")
for file in os.listdir(CONFIGURATION) if os.path.isdir(CONFIGURATION) else []:
    if os.path.isfile(CONFIGURATION + file):
        shutil.copyfile(CONFIGURATION + file, COPY + "conf/" + file)
for file, content in files.items():
    with open(COPY + ("conf/" if file == "log4j2.properties" else "") + file, "wb") as copy:
        copy.write(content)
os.execv(sys.executable, [sys.executable, COPY + "submit.py", *sys.argv[2:]])
{{- end }}
