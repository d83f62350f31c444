import { fs, path, process } from '../../support/node';
import { theN8n } from '../../e2e/support/run-examples';

/** Headers of the connection, which are not sent again. */
const OF_CONNECTION = ['host', 'connection', 'content-length'];

export interface DifyRequest {
	headers: Record<string, string>;
	/** Undefined if the request has no body. */
	body?: string;
}

/** A recorded request of a real Dify, from test/fixtures/dify-requests. */
export function difyRequest(name: string): DifyRequest {
	const file = path.join(process.cwd(), 'test', 'fixtures', 'dify-requests', `${name}.http`);
	const [head = '', body = ''] = fs.readFileSync(file, 'utf8').split('\r\n\r\n');
	const headers = head
		.split('\r\n')
		.slice(1)
		.map((line) => line.split(/:\s*(.*)/s, 2) as [string, string])
		.filter(([header]) => !OF_CONNECTION.includes(header.toLowerCase()));
	return { headers: Object.fromEntries(headers), ...(body === '' ? {} : { body }) };
}

/** The request with changed fields in its body. */
export function withBody(
	{ headers, body }: DifyRequest,
	change: Record<string, unknown>,
): DifyRequest {
	return { headers, body: JSON.stringify({ ...(JSON.parse(body!) as object), ...change }) };
}

/** Sends the request to a webhook that is already registered. */
export async function sendRequest(
	{ headers, body }: DifyRequest,
	webhook: string,
): Promise<{ status: number; json: unknown }> {
	const response = await fetch(`${theN8n().url}/webhook/${webhook}`, {
		method: 'POST',
		headers,
		body,
	});
	const text = await response.text();
	try {
		return { status: response.status, json: JSON.parse(text) };
	} catch {
		return { status: response.status, json: text };
	}
}
