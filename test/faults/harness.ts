/** What the tables of promises share: credentials, the passing of time, and problems as a list. */
import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import type { Clock } from '../guarantees/support/fake-clock';
import { isOnItsWay } from '../support/servers/traffic';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import type { GoodServer, Received } from './good-server';
import type { Operation, OperationRun } from './operations';

/** The parts of a credential that differ between rows. */
export interface Access {
	/** Address of the server, without the path of the API. */
	url: string;
	/** Without the prefix of Dify's keys. */
	key: string;
	/** Value of the extra header X-Tenant of a model server. */
	tenant?: string;
	maxConcurrentRequests?: number;
}

/** The credential that an operation needs. */
export function createCredential(
	{ node, service }: Operation,
	{ url, key, tenant, maxConcurrentRequests = 0 }: Access,
): ICredentialDataDecryptedObject {
	if (service === 'model') {
		const header = tenant === undefined ? [] : [{ name: 'X-Tenant', value: tenant }];
		const credential = { baseUrl: url, apiKey: key, extraHeaders: { header } };
		return { ...credential, maxConcurrentRequests } as ICredentialDataDecryptedObject;
	}
	const keyType = /Knowledge|Retriever/.test(node) ? 'knowledge' : 'app';
	const prefix = keyType === 'app' ? 'app' : 'dataset';
	return { baseUrl: `${url}/v1`, apiKey: `${prefix}-${key}`, keyType };
}

/** Real milliseconds of a pause in which requests on their way arrive. */
const PAUSE_MS = 5;
const QUIET_PAUSES = 3;

/** Files and names of hosts that Node reads in threads, which a busy machine may let wait for longer than some moments. */
const IN_THREADS = /^(?:FSReq|GetAddrInfoReq)/;

/** Waits until nothing has begun or ended for some moments, nothing is on its way, and nothing is being read. */
export async function waitUntilQuiet(
	servers: ReadonlyArray<{ activity(): number }>,
): Promise<void> {
	const count = (): number => servers.reduce((sum, server) => sum + server.activity(), 0);
	let last = -1;
	const isReading = (): boolean =>
		process.getActiveResourcesInfo().some((resource) => IN_THREADS.test(resource));
	const isQuiet = (): boolean => count() === last && !isOnItsWay() && !isReading();
	for (let quiet = 0; quiet < QUIET_PAUSES;) {
		await delay(PAUSE_MS);
		quiet = isQuiet() ? quiet + 1 : 0;
		last = count();
	}
}

export interface Passing {
	clock: Clock;
	servers: ReadonlyArray<{ activity(): number }>;
	/** Default: 1 s. */
	stepMs?: number;
	/** The longest time that may pass. Default: five minutes. */
	maxMs?: number;
	/** Called whenever nothing happens, before time passes. */
	onQuiet?: () => void;
}

/**
 * Lets time pass whenever no request is on its way, until all work has ended.
 *
 * @returns the names of the work that has not ended
 */
export async function passUntilEnded(
	works: ReadonlyMap<string, Promise<unknown>>,
	{ clock, servers, stepMs = 1_000, maxMs = 300_000, onQuiet }: Passing,
): Promise<string[]> {
	const pending = new Set(works.keys());
	for (const [name, work] of works) {
		const end = (): boolean => pending.delete(name);
		work.then(end, end);
	}
	for (let passedMs = 0; pending.size > 0 && passedMs <= maxMs; passedMs += stepMs) {
		await waitUntilQuiet(servers);
		onQuiet?.();
		if (pending.size > 0) await clock.pass(stepMs);
	}
	return [...pending];
}

export interface Alone {
	clock: Clock;
	server: GoodServer;
	key: string;
	setup?: Partial<OperationRun>;
}

/** Runs each operation for one item. @returns the requests of each, by its name */
export async function runAlone(
	operations: readonly Operation[],
	{ clock, server, key, setup }: Alone,
): Promise<Map<string, Received[]>> {
	const works = new Map(
		operations.map((operation) => {
			const credentials = [createCredential(operation, { url: server.at(operation.name), key })];
			return [operation.name, operation.run({ ...setup, credentials })];
		}),
	);
	const pending = await passUntilEnded(works, { clock, servers: [server] });
	if (pending.length > 0) throw new Error(`Did not end: ${pending.join(', ')}`);
	for (const [name, work] of works)
		await work.catch((error: Error) => {
			throw new Error(`${name} fails at the good server: ${error.message}`, { cause: error });
		});
	return new Map(operations.map(({ name }) => [name, server.to(name)]));
}

/** A text in which each ID is short. */
export const withoutIds = (text: string): string =>
	text.replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID');

/** As many as fit on a screen. */
const MAX_SHOWN = 12;

/** Fails with the problems, one a line: what was done, what was expected, what came instead. */
export function expectNoProblems(problems: readonly string[]): void {
	const shown = problems.slice(0, MAX_SHOWN).map(withoutIds);
	const rest = problems.length - shown.length;
	expect(rest > 0 ? [...shown, `… and ${rest} more`] : shown).toEqual([]);
}

/** Rows to which a promise does not apply, by a pattern for their text, each with the reason. */
export type Exceptions = ReadonlyArray<readonly [pattern: RegExp, reason: string]>;

/** The reason why a row does not apply to an operation; undefined if it does. */
export function findException(exceptions: Exceptions, text: string): string | undefined {
	return exceptions.find(([pattern]) => pattern.test(text))?.[1];
}

/** Exceptions that match nothing any more. */
export function getUnusedExceptions(exceptions: Exceptions, texts: readonly string[]): string[] {
	return exceptions
		.filter(([pattern]) => !texts.some((text) => pattern.test(text)))
		.map(([pattern, reason]) => `The exception ${String(pattern)} matches nothing: ${reason}`);
}
