// Elastic Premium: the platform starts instances for HTTP by itself, and knows nothing of work items. Always-ready
// instances hold the streams that work comes in on; a controller may change their number by POST …/scale/status.
// Runtime scale monitoring stays off: it asks monitors inside the .NET host, of which there are none for an extension
// that runs in the Node worker, and without any the host votes to take instances away.
param location string = resourceGroup().location
param planName string
param appName string
param alwaysReadyInstances int = 1
param maxInstances int = 10

resource plan 'Microsoft.Web/serverfarms@2023-12-01' = {
  name: planName
  location: location
  kind: 'elastic'
  sku: {
    name: 'EP1'
    tier: 'ElasticPremium'
  }
  properties: {
    reserved: true
    maximumElasticWorkerCount: maxInstances
  }
}

resource app 'Microsoft.Web/sites@2023-12-01' = {
  name: appName
  location: location
  kind: 'functionapp,linux'
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    siteConfig: {
      linuxFxVersion: 'NODE|22'
      minimumElasticInstanceCount: alwaysReadyInstances
      functionsRuntimeScaleMonitoringEnabled: false
    }
  }
}
