//! What scenarios may refer to, taken from manifests, statements and faults.

use crate::generation::{self, Generation, Manifest, Stack, UnitName};
use crate::scenario::{HostFacts, Scope, SecretFacts, ServiceFacts, StackFacts, Unit, World};

use super::{Project, Result};

/// The world of a project, for its own rendered hosts.
pub fn world(project: &Project) -> Result<World> {
    let generations = project.generations()?;
    let hosts = generations.iter().map(|generation| (generation.manifest.host.clone(), facts(generation))).collect();
    Ok(World {
        hosts,
        statements: project.statements()?.into_keys().collect(),
        statements_in: project.statements_source()?.path,
        faults: project.faults()?.into_iter().map(|fault| fault.id).collect(),
        faults_in: project.faults_source()?.path,
        foreign: project.foreign().map(|foreign| foreign.host().to_owned()),
    })
}

fn facts(generation: &Generation) -> HostFacts {
    let manifest = &generation.manifest;
    let stacks = |manifest: &Manifest| manifest.stacks.iter().map(stack).collect();
    let variants = generation.variants.iter().map(|(name, variant)| (name.clone(), stacks(&variant.manifest)));
    HostFacts {
        name: manifest.host.clone(),
        hostname: manifest.hostname.clone(),
        user: manifest.user.name.clone(),
        stacks: stacks(manifest),
        native_images: manifest
            .native_units
            .iter()
            .map(|native| (native.container.clone(), native.image.clone()))
            .collect(),
        units: manifest.units.iter().map(unit).collect(),
        activation: manifest.activation.iter().map(unit).collect(),
        variants: variants.collect(),
        texts: manifest.texts.clone(),
        alerts: manifest.alert_url.is_some(),
    }
}

fn unit(unit: &UnitName) -> Unit {
    Unit { scope: scope(unit.scope), name: unit.unit.clone() }
}

fn scope(scope: generation::Scope) -> Scope {
    match scope {
        generation::Scope::System => Scope::System,
        generation::Scope::User => Scope::User,
    }
}

fn stack(stack: &Stack) -> StackFacts {
    let services = stack.services.iter().map(|service| ServiceFacts {
        name: service.name.clone(),
        container: service.container.clone(),
        image: service.image.clone(),
        health_check: service.health_check,
        knobs: service.knobs.clone(),
        network_of: service.network_of.clone(),
    });
    let secrets = stack.secrets.iter().map(|secret| SecretFacts {
        name: secret.name.clone(),
        native: secret.native.clone(),
        fallback: secret.fallback.clone(),
    });
    StackFacts {
        name: stack.name.clone(),
        project: stack.project.clone(),
        unit: stack.unit.clone(),
        compose: stack.compose.clone(),
        env_paths: stack.env_paths.clone(),
        services: services.collect(),
        secrets: secrets.collect(),
    }
}
