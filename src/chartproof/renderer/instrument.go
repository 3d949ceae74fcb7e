package main

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
)

// A Branch is a part of a template that a render takes or does not take.
type Branch struct {
	// Template is "CHART/templates/FILE": a subchart's are those of its own name, whoever depends on it.
	Template string `json:"template"`
	// Line is that of the action that leads to it, from 1.
	Line int `json:"line"`
	// Text says which part: `file`, `define "x"`, `if .Values.x`, `else if .Values.y`, `else of if .Values.x`.
	Text string `json:"text"`
}

// The API version that an inserted lookup asks for.
const counterVersion = "chartproof"

// A block is an action that waits for its end.
type block struct {
	text      string
	line      int
	branching bool // if, with, range
	hasElse   bool
}

var (
	actions    = regexp.MustCompile("(?s)\\{\\{(?:-?\\s*/\\*.*?\\*/\\s*-?|(?:\"(?:\\\\.|[^\"\\\\])*\"|`[^`]*`|'(?:\\\\.|[^'\\\\])*'|[^\"`'])*?)\\}\\}")
	whitespace = regexp.MustCompile(`\s+`)
	keyword    = regexp.MustCompile(`^[a-z]+`) // "if(eq .a 1)" and "if.a" need no space
)

// An instrumenter knows the templates that it put counters into: the next render asks for most of them again.
type instrumenter map[template]instrumented

// A template and the number of its first counter.
type template struct {
	name, source string
	first        int
}

type instrumented struct {
	text     string
	branches []Branch
}

// chart puts a counter into every branch of a chart's templates and of its dependencies'; it returns the branches with
// those given: a counter's number is the index there.
//
// A counter is a lookup: the one function of helm's templates that asks something outside. It keeps all lines and
// prints nothing.
func (known instrumenter) chart(c *chart.Chart, branches []Branch) []Branch {
	for _, file := range c.Templates {
		t := template{path.Join(c.Name(), file.Name), string(file.Data), len(branches)}
		done, ok := known[t]
		if !ok {
			done = instrument(t)
			known[t] = done
		}
		file.Data = []byte(done.text)
		branches = append(branches, done.branches...)
	}
	for _, dependency := range c.Dependencies() {
		branches = known.chart(dependency, branches)
	}
	return branches
}

func instrument(t template) instrumented {
	source := t.source
	var out strings.Builder
	var open []block
	var branches []Branch
	count := func(line int, text string, trim bool) {
		right := "}}"
		if trim {
			right = "-}}"
		}
		fmt.Fprintf(&out, `{{ $_ := lookup %q "%d" "" "x" %s`, counterVersion, t.first+len(branches), right)
		branches = append(branches, Branch{t.name, line, text})
	}
	if !strings.HasPrefix(path.Base(t.name), "_") {
		count(1, "file", false)
	}
	copied := 0
	for _, span := range actions.FindAllStringIndex(source, -1) {
		out.WriteString(source[copied:span[0]])
		copied = span[1]
		whole := source[span[0]:span[1]]
		line := 1 + strings.Count(source[:span[0]], "\n")
		trimLeft, trimRight := strings.HasPrefix(whole, "{{-"), strings.HasSuffix(whole, "-}}")
		inner := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(strings.TrimPrefix(whole, "{{"), "}}"), "-"), "-")
		text := whitespace.ReplaceAllString(strings.TrimSpace(inner), " ")
		word := keyword.FindString(text)
		if word == "end" && len(open) > 0 {
			last := open[len(open)-1]
			open = open[:len(open)-1]
			if last.branching && !last.hasElse {
				if trimLeft {
					out.WriteString("{{- else }}")
				} else {
					out.WriteString("{{ else }}")
				}
				count(last.line, "else of "+last.text, false)
			}
		}
		out.WriteString(whole)
		switch word {
		case "if", "with", "range":
			open = append(open, block{text: text, line: line, branching: true})
			count(line, text, trimRight)
		case "define", "block":
			open = append(open, block{text: text, line: line})
			count(line, text, trimRight)
		case "else":
			if len(open) == 0 {
				break // no template: helm will say so
			}
			last := &open[len(open)-1]
			if text == "else" {
				last.hasElse = true
				count(line, "else of "+last.text, trimRight)
			} else {
				count(line, text, trimRight)
			}
		}
	}
	out.WriteString(source[copied:])
	return instrumented{out.String(), branches}
}
