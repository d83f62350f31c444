/**
 * Rules by which n8n checks the response to a credential test. n8n accepts both types in one list, and the first match
 * is the error (credentials-tester.service.ts); n8n's types allow only lists of one type.
 */

/** Matches a status. */
export interface StatusRule {
	type: 'responseCode';
	properties: {
		value: number;
		/** The error that n8n shows. */
		message: string;
	};
}

/** Matches a value in a body with status 200. */
export interface BodyRule {
	type: 'responseSuccessBody';
	properties: BodyMatch;
}

export interface BodyMatch {
	/** Path of the value. n8n passes an empty body as an empty text. */
	key: string;
	/** Compared with `===`. */
	value: unknown;
	/** The error that n8n shows. */
	message: string;
}

/** For an error status. Without a rule, n8n only shows the status text, such as "Forbidden". */
export function statusRule(status: number, message: string): StatusRule {
	return { type: 'responseCode', properties: { value: status, message } };
}

/** For a value in a body with status 200. */
export function bodyRule({ key, value, message }: BodyMatch): BodyRule {
	return { type: 'responseSuccessBody', properties: { key, value, message } };
}

/**
 * For text with status 200: a user interface, a login page, a server with one response for everything. JSON objects have
 * another constructor.
 */
export function plainTextRule(message: string): BodyRule {
	return bodyRule({ key: 'constructor', value: String, message });
}

/** For a JSON object without a field. */
export function missingFieldRule({ key, message }: Omit<BodyMatch, 'value'>): BodyRule {
	return bodyRule({ key, value: undefined, message });
}

/**
 * How long n8n waits for the response to a credential test. n8n's default is 300 s, and a timeout in the test's request
 * has no effect (docs/protocols/n8n.md 4.5): only one that `authenticate` returns does.
 */
export const CREDENTIAL_TEST_TIMEOUT_MS = 10_000;

/** What the codes mean that n8n's credential test shows for a failed connection. For the description of Base URL. */
export const CONNECTION_CODES =
	'If the test shows ECONNREFUSED, nothing listens at this address and port. EPROTO: use http://. ECONNRESET: use https://.';
