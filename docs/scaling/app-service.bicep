// App Service: Azure Monitor sets the number of instances by durabletask.target_workers, which the app itself sends to
// Application Insights (set APPLICATIONINSIGHTS_CONNECTION_STRING in the app). The metric is divided by the number of
// instances: above 1 there are too few of them, well below 1 too many.
param location string = resourceGroup().location
param planName string
param appName string
param applicationInsightsName string
param minInstances int = 1
param maxInstances int = 10

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource plan 'Microsoft.Web/serverfarms@2023-12-01' = {
  name: planName
  location: location
  kind: 'linux'
  sku: {
    name: 'P0v3'
    capacity: minInstances
  }
  properties: {
    reserved: true
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
      alwaysOn: true
      linuxFxVersion: 'NODE|22'
    }
  }
}

resource autoscale 'Microsoft.Insights/autoscaleSettings@2022-10-01' = {
  name: '${planName}-durabletask'
  location: location
  properties: {
    name: '${planName}-durabletask'
    enabled: true
    targetResourceUri: plan.id
    profiles: [
      {
        name: 'by target_workers'
        capacity: {
          minimum: string(minInstances)
          maximum: string(maxInstances)
          default: string(minInstances)
        }
        rules: [
          {
            metricTrigger: {
              metricName: 'durabletask.target_workers'
              metricNamespace: 'azure.applicationinsights'
              metricResourceUri: insights.id
              timeGrain: 'PT1M'
              timeWindow: 'PT5M'
              statistic: 'Average'
              timeAggregation: 'Maximum'
              operator: 'GreaterThan'
              threshold: 1
              dividePerInstance: true
            }
            scaleAction: {
              direction: 'Increase'
              type: 'ChangeCount'
              value: '1'
              cooldown: 'PT1M'
            }
          }
          {
            metricTrigger: {
              metricName: 'durabletask.target_workers'
              metricNamespace: 'azure.applicationinsights'
              metricResourceUri: insights.id
              timeGrain: 'PT1M'
              timeWindow: 'PT10M'
              statistic: 'Average'
              timeAggregation: 'Maximum'
              operator: 'LessThan'
              threshold: json('0.6')
              dividePerInstance: true
            }
            scaleAction: {
              direction: 'Decrease'
              type: 'ChangeCount'
              value: '1'
              cooldown: 'PT5M'
            }
          }
        ]
      }
    ]
  }
}
