// chartproof-renderer renders Helm charts as `helm template` does, one question a line, for as long as it is asked: a
// process for each render would cost more than the render. It also says which branches of the templates a render took.
//
// A question and its answer are a line of JSON each; see Question and Answer.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	yamlnode "go.yaml.in/yaml/v3"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/cli"
	"helm.sh/helm/v3/pkg/cli/values"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/getter"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/releaseutil"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// A Question is what `helm template` is given.
type Question struct {
	Chart     string   `json:"chart"`
	Release   string   `json:"release"`
	Namespace string   `json:"namespace"`
	Files     []string `json:"files"`
	Values    string   `json:"values"` // a JSON object that wins over all files
	Kube      string   `json:"kube"`   // "1.34"; empty: the newest that this helm knows
	APIs      []string `json:"apis"`
}

// An Answer is what helm rendered, or its error.
type Answer struct {
	Manifest string            `json:"manifest"`
	Objects  []json.RawMessage `json:"objects"`
	Error    string            `json:"error"`
	Branches []Branch          `json:"branches"`
	Taken    []int             `json:"taken"` // indices of branches, in order
}

func main() {
	debug.SetGCPercent(-1) // a render is small and short: collecting costs more than the memory
	debug.SetMemoryLimit(256 << 20)
	setVersions()
	known := instrumenter{}
	questions, answers := json.NewDecoder(bufio.NewReader(os.Stdin)), json.NewEncoder(os.Stdout)
	answers.SetEscapeHTML(false)
	for {
		var question Question
		if err := questions.Decode(&question); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			fmt.Fprintln(os.Stderr, "chartproof-renderer: not a question:", err)
			os.Exit(2)
		}
		if err := answers.Encode(answer(question, known)); err != nil {
			os.Exit(1) // nobody listens any more
		}
	}
}

// setVersions tells templates the versions that the helm of these modules tells them: its own, and the newest Kubernetes
// that it knows. helm's makefile stamps them in; here they are read from what was built in.
func setVersions() {
	built, _ := debug.ReadBuildInfo()
	for _, module := range built.Deps {
		switch module.Path {
		case "helm.sh/helm/v3":
			chartutil.DefaultCapabilities.HelmVersion.Version = module.Version
		case "k8s.io/client-go":
			minor := strings.Split(module.Version, ".")[1]
			chartutil.DefaultCapabilities.KubeVersion = chartutil.KubeVersion{Version: "v1." + minor + ".0", Major: "1", Minor: minor}
		}
	}
}

func answer(q Question, known instrumenter) Answer {
	var a Answer
	manifest, branches, taken, err := render(q, known)
	if err == nil {
		a.Objects, err = objects(manifest)
	}
	a.Manifest, a.Branches, a.Taken = manifest, branches, taken
	if err != nil {
		a.Manifest, a.Error = "", refusal(q, err).Error()
	}
	return a
}

// render renders a chart whose templates count: what helm's install does, with a counting engine.
func render(q Question, known instrumenter) (string, []Branch, []int, error) {
	taken := []int{}
	loaded, vals, caps, err := load(q)
	if err != nil {
		return "", nil, taken, err
	}
	branches := known.chart(loaded, nil)
	if err := action.CheckDependencies(loaded, loaded.Metadata.Dependencies); err != nil {
		return "", branches, taken, err
	}
	if err := chartutil.ProcessDependenciesWithMerge(loaded, vals); err != nil {
		return "", branches, taken, err
	}
	if wanted := loaded.Metadata.KubeVersion; wanted != "" && !chartutil.IsCompatibleRange(wanted, caps.KubeVersion.String()) {
		return "", branches, taken, fmt.Errorf("chart requires kubeVersion: %s", wanted)
	}
	options := chartutil.ReleaseOptions{Name: q.Release, Namespace: q.Namespace, Revision: 1, IsInstall: true}
	toRender, err := chartutil.ToRenderValues(loaded, vals, options, caps)
	if err != nil {
		return "", branches, taken, err
	}
	counted := counters{}
	files, err := engine.RenderWithClientProvider(loaded, toRender, counted)
	for i := range branches {
		if counted[i] {
			taken = append(taken, i)
		}
	}
	if err != nil {
		return "", branches, taken, err
	}
	for name := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(files, name)
		}
	}
	hooks, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return "", branches, taken, err
	}
	return text(hooks, manifests), branches, taken, nil
}

func text(hooks []*release.Hook, manifests []releaseutil.Manifest) string {
	var objects, all strings.Builder
	for _, manifest := range manifests {
		fmt.Fprintf(&objects, "---\n# Source: %s\n%s\n", manifest.Name, manifest.Content)
	}
	fmt.Fprintln(&all, strings.TrimSpace(objects.String()))
	for _, hook := range hooks {
		fmt.Fprintf(&all, "---\n# Source: %s\n%s\n", hook.Path, hook.Manifest)
	}
	return all.String()
}

// refusal is what `helm template` says where a render failed: it renders again, with templates that do not count, so
// that lines and columns are those of the files.
func refusal(q Question, counting error) error {
	loaded, vals, caps, err := load(q)
	if err != nil {
		return err
	}
	if err := action.CheckDependencies(loaded, loaded.Metadata.Dependencies); err != nil {
		return fmt.Errorf("An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing dependencies: %w", err)
	}
	install := action.NewInstall(&action.Configuration{Log: func(string, ...any) {}})
	install.DryRun, install.DryRunOption, install.Replace, install.ClientOnly = true, "true", true, true
	install.ReleaseName, install.Namespace = q.Release, q.Namespace
	install.KubeVersion, install.APIVersions = &caps.KubeVersion, chartutil.VersionSet(q.APIs)
	made, err := install.Run(loaded, vals)
	switch {
	case err == nil:
		return counting // an object that is no YAML, or a fault of the counters
	case made != nil:
		return fmt.Errorf("%w\n\nUse --debug flag to render out invalid YAML", err)
	default:
		return err
	}
}

func load(q Question) (*chart.Chart, map[string]any, *chartutil.Capabilities, error) {
	inFiles, err := (&values.Options{ValueFiles: q.Files}).MergeValues(getter.All(cli.New()))
	if err != nil {
		return nil, nil, nil, err
	}
	vals, err := chartutil.ReadValues([]byte(q.Values))
	if err != nil {
		return nil, nil, nil, err
	}
	chartutil.MergeTables(vals, inFiles)
	caps := chartutil.DefaultCapabilities.Copy()
	if q.Kube != "" {
		kube, err := chartutil.ParseKubeVersion(q.Kube)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("invalid kube version '%s': %s", q.Kube, err)
		}
		caps.KubeVersion = *kube
	}
	caps.APIVersions = append(caps.APIVersions, q.APIs...)
	loaded, err := loader.Load(q.Chart)
	if err != nil {
		return nil, nil, nil, err
	}
	if kind := loaded.Metadata.Type; kind != "" && kind != "application" {
		return nil, nil, nil, fmt.Errorf("%s charts are not installable", kind)
	}
	return loaded, vals, caps, nil
}

func objects(manifest string) ([]json.RawMessage, error) {
	found := []json.RawMessage{}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(manifest)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		source, content := parts(document)
		object, err := yaml.YAMLToJSON(content)
		if err == nil {
			err = twice(content)
		}
		if err != nil {
			return nil, fmt.Errorf("YAML parse error on %s: error converting YAML to JSON: %w", source, err)
		}
		if !bytes.Equal(object, []byte("null")) {
			found = append(found, object)
		}
	}
}

// parts are a document's template, which text wrote above it, and what that template gave.
func parts(document []byte) (string, []byte) {
	first, rest, _ := bytes.Cut(bytes.TrimPrefix(document, []byte("---\n")), []byte("\n"))
	source, found := strings.CutPrefix(string(first), "# Source: ")
	if !found {
		return "", document
	}
	return source, rest
}

// twice is an error where a key stands twice in a map, in the words of helm's parser where that is strict. helm itself takes
// the last of the two; other programs that read its manifests, as Flux, take neither. A key beside one that "<<" brings is
// none: the parser's own strictness would refuse it too.
func twice(content []byte) error {
	var root yamlnode.Node
	if err := yamlnode.Unmarshal(content, &root); err != nil {
		return err
	}
	for left := []*yamlnode.Node{&root}; len(left) > 0; {
		node := left[0]
		left = append(left[1:], node.Content...)
		if node.Kind != yamlnode.MappingNode {
			continue
		}
		seen := map[[2]string]bool{}
		for i := 0; i < len(node.Content); i += 2 {
			key := node.Content[i]
			name := [2]string{key.ShortTag(), key.Value}
			if seen[name] {
				return fmt.Errorf("yaml: unmarshal errors:\n  line %d: key %q already set in map", key.Line, key.Value)
			}
			seen[name] = true
		}
	}
	return nil
}
