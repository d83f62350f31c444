import { resolveDifyBase } from '../dify/base-url';
import { ServerError } from '../errors/server-error';
import { diagnose } from './findings/diagnosis';
import { probeDify } from './probes/dify';
import { progressOf } from './server-facts';
import { mergeResults } from './merge-results';
import type { CheckResult, HealthStatus, ModelFacts, Observations } from './observations';
import { observe, type CheckOptions, type Target } from './probes/observe';
import { probeModelServer } from './probes/model-server';
import { LruCache } from '../lru-cache';

/** The last result of each address, which shows that a server has exited. A cache: it vanishes with the process. */
const remembered = LruCache.shared<Memory>({ maxEntries: 200 });

interface Memory {
	status: HealthStatus;
	at: number;
	/** Result of `progressOf`; unchanged since `progressSince`. */
	progress?: string;
	progressSince: number;
}

/**
 * Checks all servers of a credential. Cheap: no generation, no model is loaded or woken.
 *
 * @throws {ServerError} only of kind `aborted`
 */
export async function checkServer(
	target: Target,
	options: CheckOptions = {},
): Promise<CheckResult> {
	const all = targetsOf(target).map(
		async (server) => (await inspect(server, optionsFor(server, options))).result,
	);
	return mergeResults(await Promise.all(all));
}

/** Each server of a credential as a target of its own. */
export function targetsOf({ further = [], ...first }: Target): Target[] {
	return [first, ...further];
}

/** The options with the model's name on this server. */
function optionsFor({ modelNamed }: Target, options: CheckOptions): CheckOptions {
	const model = options.expectations?.model;
	if (model === undefined || modelNamed === undefined) return options;
	return { ...options, expectations: { ...options.expectations, model: modelNamed(model) } };
}

/** Checks one server, and also returns what was observed. */
export async function inspect(
	target: Target,
	options: CheckOptions = {},
): Promise<{ result: CheckResult; observations: Observations }> {
	const seen = await observe(
		target,
		target.service === 'dify' ? probeDify : probeModelServer,
		options,
	);
	const address = seen.url?.api;
	const last = address === undefined ? undefined : remembered.get(address);
	const now = Date.now();
	const progress = progressOf(seen);
	const progressSince =
		progress !== undefined && progress === last?.progress ? last.progressSince : now;
	const observations: Observations = {
		...seen,
		...(last === undefined ? {} : { before: { status: last.status, msAgo: now - last.at } }),
		...(progress === undefined ? {} : { unchangedMs: now - progressSince }),
	};
	const { status, findings, summary, report } = diagnose(observations);
	// Only results with an answer are remembered: a second refusal has the same cause.
	const hasAnswered =
		status !== 'unreachable' && Object.values(seen.probes).some(({ answered }) => answered);
	if (address !== undefined && hasAnswered)
		remembered.set(address, { status, at: now, progress, progressSince });
	const { server, latencyMs, app, ...facts } = report;
	const result: CheckResult = {
		status,
		healthy: status === 'healthy',
		summary,
		url: addressOf(observations),
		// n8n's views show the first fields, so findings come before facts.
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
	if (
		models.length > 0 ||
		(first?.id === 'noModels' && observations.probes.models?.failure === undefined)
	)
		return models.map((model) => ({ ...model, server: result.server.kind }));
	throw new ServerError({
		kind:
			observations.rejected?.kind ?? observations.probes.models?.failure?.kind ?? 'invalidAnswer',
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
