import { resolveDifyBase } from '../dify/base-url';
import { ServerError } from '../errors/server-error';
import { diagnose } from './diagnosis';
import { probeDify } from './dify';
import { progressOf } from './facts';
import { mergeResults } from './several';
import type { CheckResult, HealthStatus, ModelFacts, Observations } from './observations';
import { observe, type CheckOptions, type Target } from './observe';
import { probeModelServer } from './probes';
import { LruCache } from '../lru-cache';

/**
 * The last result of each address. Only a hint (it vanishes with the process): a server that answered just now and
 * refuses now has exited.
 */
const remembered = LruCache.shared<Memory>({ maxEntries: 200 });

interface Memory {
	status: HealthStatus;
	at: number;
	/** See `progressOf`, and since when it is that. */
	progress?: string;
	progressSince: number;
}

/**
 * Checks a server, and with it the further ones of its credential: cheap, without a generation, without waking or
 * loading anything.
 *
 * @throws {ServerError} only of kind `aborted`
 */
export async function checkServer(target: Target, options: CheckOptions = {}): Promise<CheckResult> {
	const all = eachOf(target).map(async (server) => (await inspect(server, namedAt(server, options))).result);
	return mergeResults(await Promise.all(all));
}

/** The servers of a credential, each for itself. */
export function eachOf({ further = [], ...first }: Target): Target[] {
	return [first, ...further];
}

/** What is needed of a server, with the name that the model has there. */
function namedAt({ modelNamed }: Target, options: CheckOptions): CheckOptions {
	const model = options.expectations?.model;
	if (model === undefined || modelNamed === undefined) return options;
	return { ...options, expectations: { ...options.expectations, model: modelNamed(model) } };
}

/** The same, with what was seen. */
export async function inspect(
	target: Target,
	options: CheckOptions = {},
): Promise<{ result: CheckResult; observations: Observations }> {
	const seen = await observe(target, target.service === 'dify' ? probeDify : probeModelServer, options);
	const address = seen.url?.api;
	const last = address === undefined ? undefined : remembered.get(address);
	const now = Date.now();
	const progress = progressOf(seen);
	const progressSince = progress !== undefined && progress === last?.progress ? last.progressSince : now;
	const observations: Observations = {
		...seen,
		...(last === undefined ? {} : { before: { status: last.status, msAgo: now - last.at } }),
		...(progress === undefined ? {} : { unchangedMs: now - progressSince }),
	};
	const { status, findings, summary, report } = diagnose(observations);
	// What is remembered is the last time that the server answered: a second refusal still has the same cause.
	const hasAnswered = status !== 'unreachable' && Object.values(seen.probes).some(({ answered }) => answered);
	if (address !== undefined && hasAnswered) remembered.set(address, { status, at: now, progress, progressSince });
	const { server, latencyMs, app, ...facts } = report;
	const result: CheckResult = {
		status,
		healthy: status === 'healthy',
		summary,
		url: addressOf(observations),
		// In n8n's views the first fields are those that are seen: what is wrong comes before what there is.
		findings,
		server,
		latencyMs,
		...(app === undefined ? facts : { app }),
		checkedAt: new Date().toISOString(),
		checkMs: observations.checkMs,
	};
	return { result, observations };
}

/**
 * The models of a server with all that it tells about them.
 *
 * @throws {ServerError} where there is no list, with the diagnosis as its message
 */
export async function listServerModels(
	target: Target,
	options: CheckOptions = {},
): Promise<Array<ModelFacts & { server: string }>> {
	const { result, observations } = await inspect(target, { ...options, expectations: {} });
	const models = result.models ?? [];
	const first = result.findings[0];
	if (models.length > 0 || (first?.id === 'noModels' && observations.probes.models?.failure === undefined))
		return models.map((model) => ({ ...model, server: result.server.kind }));
	throw new ServerError({
		kind: observations.rejected?.kind ?? observations.probes.models?.failure?.kind ?? 'invalidAnswer',
		message: first?.meaning ?? result.summary,
		remedy: first?.advice ?? '',
		url: observations.url === undefined ? undefined : `${observations.url.api}/models`,
		facts: { observed: first?.observed },
	});
}

function addressOf({ service, url }: Observations): string | null {
	if (url === undefined) return null;
	return service === 'dify' ? resolveDifyBase(url.typed) : url.root;
}
