"""How the platform is run: images, manifests, dashboards, and locally."""
