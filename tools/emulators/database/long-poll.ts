/**
 * What stands in for long polling. Browsers remember when a WebSocket has failed, be it only because
 * the server was down, and then keep to long polling. They load its answers as scripts into a frame
 * of their own page, so one such script can make them forget and try a WebSocket again.
 */

/** The script that answers an attempt to connect by long polling; null when the request is none. */
export function backToWebSocket(parameters: URLSearchParams): string | null {
  const callback = parameters.get('cb');
  if (parameters.get('start') !== 't' || callback === null || !/^\w+$/.test(callback)) return null;
  return `
    try { parent.localStorage.removeItem('firebase:previous_websocket_failure'); } catch (error) { /* There is no storage. */ }
    parent['pLPCommand${callback}']('close');
  `;
}
