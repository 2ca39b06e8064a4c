"""Start the benchmark worker: `python -m services.benchmark_worker`."""

from services.benchmark_worker.app import main

if __name__ == "__main__":
    main()
