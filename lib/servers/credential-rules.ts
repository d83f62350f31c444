/**
 * Rules by which n8n judges the answer to a credential test. n8n takes both kinds in one list, and the first that fits
 * is the error (credentials-tester.service.ts); its type says one kind or the other.
 */

/** For an error status. n8n alone would show no more than the phrase of the status, such as "Forbidden". */
export function said(status: number, message: string) {
	return { type: 'responseCode' as const, properties: { value: status, message } };
}

/**
 * For text with status 200: a user interface, a login page, a server that answers everything alike. JSON objects have
 * another constructor.
 */
export function isText(message: string) {
	return { type: 'responseSuccessBody' as const, properties: { key: 'constructor', value: String, message } };
}

/** For a JSON object without a field. */
export function lacks(field: string, message: string) {
	return { type: 'responseSuccessBody' as const, properties: { key: field, value: undefined, message } };
}

/** Below the Base URL: of a connection that fails, n8n's credential test shows the code alone. */
export const CONNECTION_CODES_HINT =
	'If the test says ECONNREFUSED, nothing listens at this address; in Docker 127.0.0.1 is n8n itself, so use http://host.docker.internal or the IP address of the machine. EPROTO: use http:// in place of https://.';
