# make demo    half a million flights through a topology on the bundled broker
# make test    everything, from nothing
#
# Both set up .venv first, with uv where it is installed and with venv and pip otherwise, from the lock.
# ARGS passes options on: make demo ARGS=--fresh, make test ARGS='-k windows', make soak FLOWS=joins ARGS='--faults 60',
# make fuzz FRAMES=50000 ARGS='--seed 7'.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.headrace-setup
ARGS ?=
FLOWS ?= flights joins letters
FRAMES ?= 1000000
# More than there are cores: tests with processes wait for two thirds of their time, for sessions, clients and commits.
TEST_WORKERS ?= 4
# Brokers and stores of the tests sync thousands of times. In memory that takes a tenth of the time; where there is too
# little of it the disk is used.
TEST_DIRECTORY := $(shell [ -w /dev/shm ] && [ "$$(df -Pk /dev/shm | awk 'END { print $$4 }')" -gt 8000000 ] && echo /dev/shm)
# Hundreds of processes start in a run of the tests. Without bytecode each of them compiles all that it imports, which is
# half of a broker's start.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup demo test check replay soak endurance fuzz bench bench-quick bench-broker bench-java apache-kafka docs docs-site lock clean
.PHONY: test-kafka test-kgo test-java-tools test-kafka-streams test-peers kafka-answers streams-cases test-streams-cases

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -6
	@echo "targets: setup demo test check replay soak endurance fuzz bench bench-quick bench-broker bench-java"
	@echo "         apache-kafka docs docs-site lock clean"
	@echo "         test-kafka: what runs on any cluster, on a real Apache Kafka (Java, Maven)"
	@echo "         test-streams-cases: random topologies on Apache Kafka Streams and on headrace (Java, Maven), see tests/streams_cases"
	@echo "         test-kgo test-java-tools test-kafka-streams test-peers kafka-answers: other people's programs, see tests/foreign"

setup: $(STAMP)

$(STAMP): pyproject.toml requirements.lock bin/setup
	@bin/setup $(VENV)
	@touch $@

demo: setup
	@$(BIN)/headrace demo $(ARGS)

test: setup
	$(if $(TEST_DIRECTORY),TMPDIR=$(TEST_DIRECTORY)) $(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/python -m pytest -q tests/test_architecture.py $(ARGS)

# The whole matrix on the demo's flights, or on the file that REPLAY_FLIGHTS names.
replay: setup
	REPLAY=$${REPLAY:-all} REPLAY_ROWS=$${REPLAY_ROWS:-0} $(BIN)/python -m pytest tests/integration -k test_replay_ $(ARGS)

# On a cluster of your own: .venv/bin/python -m pytest -n 0 --bootstrap-servers HOST:PORT (it is emptied).
test-kafka: setup apache-kafka
	$(BIN)/python -m tests.on_apache_kafka $(ARGS)

soak: setup
	for flow in $(FLOWS); do $(BIN)/python -m tests.soak --flow $$flow $(ARGS) || exit 1; done
	$(BIN)/python -m tests.soak.outage
	$(BIN)/python -m tests.soak.broker --kills 200
	FAULTS=all $(BIN)/python -m pytest -q --timeout 0 tests/broker/verification/test_faults.py
	$(BIN)/python -m tests.soak.oracles --runs 50
	ORACLE_EXAMPLES=2000 $(BIN)/python -m pytest -q --timeout 0 tests/streams/joins tests/streams/windows tests/streams/tables
	ORACLE_EXAMPLES=500 $(BIN)/python -m pytest -q --timeout 0 tests/streams/aggregates tests/streams/expressions \
		tests/streams/membership tests/broker/consumer_groups tests/stores

# An hour: nothing may grow. MINUTES=10 ends sooner.
endurance: setup
	$(BIN)/python -m tests.soak.endurance --minutes $${MINUTES:-60} $(ARGS)

fuzz: setup
	$(BIN)/python -m tests.soak.wire --frames $(FRAMES) $(ARGS)

# Everything beside everybody who is here, in one and a half hours at most; what it needs of others: bench/README.md.
bench: setup
	$(BIN)/python -m bench run --whole --broker both $(ARGS)
	$(BIN)/python -m bench operators

bench-quick: setup
	$(BIN)/python -m bench quick $(ARGS)

bench-broker: setup apache-kafka
	$(BIN)/python -m bench.broker $(ARGS)

# Apache Kafka's server and tools out of Maven's repository, to compare with.
apache-kafka:
	mvn -q -B -f bench/apache_kafka/pom.xml compile

bench-java:
	mvn -q -B -f bench/kafka_streams/pom.xml compile

streams-cases:
	mvn -q -B -f tests/streams_cases/original/pom.xml compile

# First the recorded cases, which prove the Java program right, then new ones: ARGS='--seed 7 --seconds 600 --family composed'.
test-streams-cases: setup streams-cases
	$(if $(TEST_DIRECTORY),TMPDIR=$(TEST_DIRECTORY)) $(BIN)/python -m tests.streams_cases.prove
	$(if $(TEST_DIRECTORY),TMPDIR=$(TEST_DIRECTORY)) $(BIN)/python -m tests.streams_cases $(ARGS)

# Other people's programs on the bundled broker. They need Go, or Java and Maven, and once the network: tests/foreign/README.md.
test-kgo: setup
	$(BIN)/python -m tests.foreign.kgo $(ARGS)

test-java-tools: setup apache-kafka
	$(BIN)/python -m tests.foreign.java_tools $(ARGS)

test-kafka-streams: setup bench-java apache-kafka
	$(BIN)/python -m tests.foreign.kafka_streams $(ARGS)

# Faust, and Quix Streams and Bytewax where QUIX_PYTHON and BYTEWAX_PYTHON name an interpreter that has them.
test-peers: setup $(if $(findstring --kafka,$(ARGS)),apache-kafka)
	$(BIN)/python -m tests.foreign.faust_application $(ARGS)
	$(BIN)/python -m tests.foreign.peers $(ARGS)

# Plays the sessions of tests/differential on Apache Kafka and keeps its answers, which `make test` compares with.
kafka-answers: setup apache-kafka
	$(BIN)/python -m tests.differential.play $(ARGS)

docs: setup
	$(BIN)/python docs/generate.py
	$(BIN)/python -m pytest -q tests/docs $(ARGS)

# The pages as a site, in build/site; no network is needed.
docs-site: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet $(ARGS)

lock:
	uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-header --quiet --output-file requirements.lock

clean:
	rm -rf bench/kafka_streams/target bench/apache_kafka/target tests/foreign/target tests/streams_cases/original/target
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .headrace/demo dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
