import { fs, path, process } from '../../support/node';
import { theN8n } from './run-examples';

/** What of a request belongs to the connection that it came over. */
const OF_CONNECTION = ['host', 'connection', 'content-length'];

export interface Asking {
	headers: Record<string, string>;
	/** Undefined where the request has none. */
	body?: string;
}

/** A request of a real Dify, out of test/fixtures/dify-asks. */
export function difyAsks(name: string): Asking {
	const file = path.join(process.cwd(), 'test', 'fixtures', 'dify-asks', `${name}.http`);
	const [head = '', body = ''] = fs.readFileSync(file, 'utf8').split('\r\n\r\n');
	const headers = head
		.split('\r\n')
		.slice(1)
		.map((line) => line.split(/:\s*(.*)/s, 2) as [string, string])
		.filter(([header]) => !OF_CONNECTION.includes(header.toLowerCase()));
	return { headers: Object.fromEntries(headers), ...(body === '' ? {} : { body }) };
}

/** The same request with other fields in its body. */
export function asking({ headers, body }: Asking, change: Record<string, unknown>): Asking {
	return { headers, body: JSON.stringify({ ...(JSON.parse(body!) as object), ...change }) };
}

/** Sends it to a webhook that is there already. */
export async function sendAs({ headers, body }: Asking, webhook: string): Promise<{ status: number; json: unknown }> {
	const response = await fetch(`${theN8n().url}/webhook/${webhook}`, { method: 'POST', headers, body });
	const text = await response.text();
	try {
		return { status: response.status, json: JSON.parse(text) };
	} catch {
		return { status: response.status, json: text };
	}
}
