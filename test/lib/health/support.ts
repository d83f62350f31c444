import type { ICredentialDataDecryptedObject } from 'n8n-workflow';
import { checkServer } from '../../../lib/health/check';
import type { CheckOptions } from '../../../lib/health/check-options';
import type { CheckResult, Finding } from '../../../lib/health/check-result';
import { toCheckTarget } from '../../../lib/health/target';
import { completeResponse } from '../../support/servers/raw-http-server';
import type { RawHandler } from '../../support/servers/raw-http-server';
import { httpFixture } from '../../support/servers/streams';
import { NO_EXECUTION } from '../../support/n8n/node-host';

export const SESAME = 'open-sesame-123456';

/** Everything is on this machine, but that may be busy; questions that stay open have shorter timeouts. */
export const LIMITS: CheckOptions = { timeoutMs: 60_000 };

/** Checks the server of a "LocalLlama API" credential. */
export async function check(
	baseUrl: string,
	options: CheckOptions = {},
	credential: ICredentialDataDecryptedObject = {},
): Promise<CheckResult> {
	return await checkServer(
		toCheckTarget('modelServer', { baseUrl, apiKey: SESAME, ...credential }, NO_EXECUTION),
		{
			...LIMITS,
			...options,
		},
	);
}

export async function checkDify(
	baseUrl: string,
	credential: ICredentialDataDecryptedObject = {},
	options: CheckOptions = {},
): Promise<CheckResult> {
	return await checkServer(toCheckTarget('dify', { baseUrl, ...credential }, NO_EXECUTION), {
		...LIMITS,
		...options,
	});
}

/** The finding with this id; the test fails if there is none. */
export function finding(result: CheckResult, id: string): Finding {
	const found = result.findings.find((one) => one.id === id);
	if (found === undefined)
		throw new Error(`no finding "${id}" among ${JSON.stringify(result.findings, null, 1)}`);
	return found;
}

export function ids(result: CheckResult): string[] {
	return result.findings.map(({ id }) => id);
}

export const JSON_TYPE = { 'Content-Type': 'application/json' };
/** A complete response with a JSON body. */
export const json = (
	status: string,
	body: object,
	headers: Record<string, string> = {},
): RawHandler => completeResponse(status, JSON.stringify(body), { ...JSON_TYPE, ...headers });
/** A recorded response, byte by byte. */
export const replayRecording = (name: string): RawHandler => {
	const { status, reason, headers, body } = httpFixture(name);
	const responseHeaders = headers.filter(
		([header]) => !/^(?:content-length|transfer-encoding|connection|keep-alive)$/i.test(header),
	);
	return completeResponse(`${status} ${reason}`, body, Object.fromEntries(responseHeaders));
};
/** Responds by path, and with 404 otherwise. */
export const routes =
	(
		known: Record<string, RawHandler>,
		otherwise: RawHandler = completeResponse('404 Not Found', '404 page not found\n', {
			'Content-Type': 'text/plain',
		}),
	): RawHandler =>
	(path, socket, head) =>
		(known[path] ?? otherwise)(path, socket, head);
/** A redirect to the same path of another address. */
export const movedTo =
	(place: string, status = 301): RawHandler =>
	(path, socket) =>
		void socket.end(
			`HTTP/1.1 ${status} Moved\r\nLocation: ${place}${path}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
		);
