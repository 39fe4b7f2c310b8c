.PHONY: setup
setup:
	python3.11 -m venv .venv
