# What a person types. Every target works in a fresh clone: it installs what package-lock.json names, when that is missing or old.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
STAMP := node_modules/.package-lock.json

.PHONY: fuzz-frames test-api help check check-deep replay validate canaries spec-index explain-page picture endure sim sim-nightly sim-nodes test bench bench-peers bench-flame lint types style imports clean node sim-canaries sim-curve sim-guided sim-picture dx-picture

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'
	@echo "  Settings: C=AppendLog (one component), NO_CACHE=1, ENGINE=docker|embedded, TLA2TOOLS_JAR=path"

node:
	@command -v node >/dev/null || { echo "Node.js is missing: install Node 20.19 or newer, then run this again." >&2; exit 2; }
	@node -e 'const [a, b] = process.versions.node.split(".").map(Number); if (a < 20 || (a === 20 && b < 19)) { console.error(`Node $${process.versions.node} is too old: this needs 20.19 or newer.`); process.exit(2); }'

$(STAMP): package-lock.json | node
	@command -v npm >/dev/null || { echo "npm is missing: it comes with Node.js." >&2; exit 2; }
	npm ci
	@touch $(STAMP)

check: node $(STAMP) ## Prove that spec, machine and code agree, edge by edge
	@node --import tsx conformance/check/main.ts $(if $(C),$(C)) $(if $(NO_CACHE),--no-cache) $(if $(ENGINE),--engine $(ENGINE))

check-deep: node $(STAMP) ## The same on the deep models too (hours)
	@node --import tsx conformance/check/main.ts --deep $(if $(C),$(C)) $(if $(ENGINE),--engine $(ENGINE))

replay: node $(STAMP) ## Step a saved trace on the real code: T=path, or all of traces/
	@node --import tsx conformance/replay/main.ts $(T)

validate: node $(STAMP) ## Hold a recorded run of a cluster to the spec: R=directory of `lockstep server --record`
	@node --import tsx conformance/validate-cluster/main.ts $(R)

sim: node $(STAMP) ## Simulate whole clusters under every fault: RUNS=2000, JUDGE=24 (by TLC), FIRST=1, SEED=one, SCENARIO=swarm-sizes, REPLICAS=, WITHOUT=, A='more flags'
	@bin/lockstep sim $(if $(SEED),--seed $(SEED),$(if $(RUNS),--runs $(RUNS)) $(if $(FIRST),--first-seed $(FIRST)) --judge $(or $(JUDGE),24)) --scenario $(or $(SCENARIO),swarm-sizes) $(if $(REPLICAS),--replicas $(REPLICAS)) $(if $(WITHOUT),--without $(WITHOUT)) $(A)

sim-nightly: node $(STAMP) ## 20,000 runs, each of them judged by TLC (hours): RUNS=, FIRST=, JUDGE=all
	@bin/lockstep sim --runs $(or $(RUNS),20000) $(if $(FIRST),--first-seed $(FIRST)) --judge $(or $(JUDGE),all) --scenario swarm-sizes $(A)

sim-nodes: node $(STAMP) ## The same simulations on another Node, OTHER=path of its binary: their histories must be the same bytes
	@[ -n "$(OTHER)" ] || { echo "Say which: make sim-nodes OTHER=/path/of/node RUNS=200" >&2; exit 2; }
	@history() { "$$1" --import tsx conformance/sim/main.ts --runs $(or $(RUNS),200) --scenario swarm-sizes --no-resume --no-coverage --json | grep -o '"hash":"[0-9a-f]*"'; }; \
	here=$$(history node) || true; there=$$(history "$(OTHER)") || true; \
	echo "Node $$(node --version): $$here"; echo "Node $$("$(OTHER)" --version): $$there"; \
	[ -n "$$here" ] && [ "$$here" = "$$there" ] || { echo "The histories differ." >&2; exit 1; }

canaries: node $(STAMP) ## Write docs/canaries.md: every broken rule and what catches it
	@node --import tsx conformance/mutants/write-canaries-main.ts

spec-index: node $(STAMP) ## Write impl/dx/spec-index.ts from specs/, for the explanations
	@node --import tsx conformance/spec-parser/write-index-main.ts

explain-page: node $(STAMP) ## Write the output in docs/explain.md anew
	@node --import tsx conformance/replay/explain-page-main.ts

sim-picture: node $(STAMP) ## Write docs/pictures/simulated-run.png: the page of a run that fails (needs Chromium)
	@node --import tsx conformance/sim/timeline/write-picture-main.ts

dx-picture: node $(STAMP) ## Write docs/pictures/dx-*.png: the page of a replica through a kill -9 of the primary (needs Chromium)
	@node --import tsx test/e2e/page-pictures-main.ts

picture: node $(STAMP) ## Write docs/pictures/check-report.png from the last report (needs Chromium): C=component
	@node --import tsx conformance/report/write-picture-main.ts $(C)

test: node $(STAMP) ## Unit, property and end-to-end tests
	@npx vitest run

api-page: node $(STAMP) ## Write docs/api.md from the OpenAPI document of a replica
	@node --import tsx test/api/api-page-main.ts

test-api: node $(STAMP) ## Ask a real cluster all that its OpenAPI document allows, and more: schemathesis, from PyPI (SEED=, CASES=30)
	@node --import tsx test/api/main.ts $(if $(SEED),--seed $(SEED)) $(if $(CASES),--cases $(CASES))

endure: node $(STAMP) ## Ten minutes of mixed load under kill -9 and rolling restarts, and what the clients felt: SECONDS=600
	@SECONDS_=$(or $(SECONDS),600); env SECONDS=$$SECONDS_ npx vitest run test/e2e/endurance.test.ts --disable-console-intercept

sim-canaries: node $(STAMP) ## Write docs/simulation-canaries.md: the runs that each broken implementation takes (A='--only Vsr.drop --ranges 2')
	@node --import tsx conformance/sim/canary-table-main.ts $(A)

sim-guided: node $(STAMP) ## Runs of the whole implementation, steered by what they reach (A='--runs 5000 --first-seed 7')
	@bin/lockstep sim --guided $(A)

sim-curve: node $(STAMP) ## Steered runs beside the seeds in order, on the eight hardest canaries: a table and docs/pictures/sim-curve.svg (A='--ranges 2')
	@node --import tsx conformance/sim/curve-main.ts $(A)

fuzz-frames: node $(STAMP) ## Malformed bytes on every port of a real cluster: N=1000000, A='--seed 7 --idle 3000'
	@node --import tsx test/fuzz/fuzz-frames-main.ts --frames $(or $(N),1000000) $(A)

bench: node $(STAMP) ## Durable replicated writes, disk limit, memory, start-up; a table, JSON and a plot (A='--seconds 2' for flags)
	@node --import tsx bench/main.ts $(A)

bench-peers: node $(STAMP) ## The same with etcd interleaved (needs Go and the folder of peers)
	@node --import tsx bench/main.ts --peers $(A)

bench-flame: node $(STAMP) ## Where a replica's time goes under load: a table and a flame graph (A='--level 1')
	@node --import tsx bench/flame-main.ts $(A)

lint: types style imports ## Types, style and import rules

types: node $(STAMP)
	@npx tsc --noEmit && npx tsc -p impl/dx/page/app && echo "types: clean"

style: node $(STAMP)
	@npx biome check .

imports: node $(STAMP)
	@out=$$(npx depcruise --config .dependency-cruiser.cjs machines impl conformance 2>&1) || { echo "$$out"; exit 1; }; echo "$$out" | tail -n 2; ! grep -q '(0 modules' <<<"$$out"

clean: ## Remove what was built
	rm -rf build dist
