/** Sign-in hosts of Entra ID's clouds, and who signs their v1 tokens. */
const CLOUDS: Readonly<Record<string, string>> = {
  'login.microsoftonline.com': 'sts.windows.net',
  'login.microsoftonline.us': 'sts.windows.net',
  'login.partner.microsoftonline.cn': 'sts.chinacloudapi.cn',
};

/**
 * Entra ID writes `iss` in two ways: v2 (`https://login.microsoftonline.com/<tenant>/v2.0`) and v1
 * (`https://sts.windows.net/<tenant>/`), and which one a client gets is the choice of the resource's registration,
 * not of the client. Either one in the configuration means both. Empty for other issuers.
 */
export function entraIssuers(url: string): readonly string[] {
  const { hostname, pathname } = new URL(url);
  const [tenant = ''] = pathname.split('/').filter((part) => part !== '');
  const cloud = Object.entries(CLOUDS).find(([login, sts]) => [login, sts].includes(hostname));
  if (cloud === undefined || tenant === '') return [];
  const [login, sts] = cloud;
  return [`https://${login}/${tenant}/v2.0`, `https://${sts}/${tenant}/`];
}
