"""Start the verifier worker: `python -m services.verifier_worker`."""

from services.verifier_worker.app import main

if __name__ == "__main__":
    main()
