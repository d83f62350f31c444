/**
 * Rules by which n8n checks the answer to a credential test. n8n takes both kinds in one list, and the first that
 * matches is the error (credentials-tester.service.ts); n8n's type allows only lists of one kind.
 */

/** For an error status. Without a rule, n8n only shows the status text, such as "Forbidden". */
export function statusRule(status: number, message: string) {
	return { type: 'responseCode' as const, properties: { value: status, message } };
}

/** For a value in a body with status 200. n8n passes an empty body as an empty text. */
export function bodyRule(key: string, value: unknown, message: string) {
	return { type: 'responseSuccessBody' as const, properties: { key, value, message } };
}

/**
 * For text with status 200: a user interface, a login page, a server with one answer for everything. JSON objects have
 * another constructor.
 */
export function plainTextRule(message: string) {
	return bodyRule('constructor', String, message);
}

/** For a JSON object without a field. */
export function missingFieldRule(field: string, message: string) {
	return bodyRule(field, undefined, message);
}

/**
 * How long n8n waits for the answer to a credential test. n8n's default is 300 s, and a timeout in the test's request
 * has no effect (docs/protocols/n8n.md 4.5): only one that `authenticate` returns does.
 */
export const CREDENTIAL_TEST_LIMIT_MS = 10_000;

const CREDENTIAL_TEST_PAGE =
	'https://github.com/n8n-nodes-local-llama/n8n-nodes-local-llama/blob/main/docs/troubleshooting.md#the-test-of-the-credential';

/** The hint below Base URL: for a failed connection, n8n's credential test shows only the code. */
export const CONNECTION_CODES_HINT = `If the test shows only a code such as ECONNREFUSED, see <a href="${CREDENTIAL_TEST_PAGE}" target="_blank">what it means and what to do</a>.`;
