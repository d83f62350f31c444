/** A check of a server, in one line: probes → observations → findings → result. */
import { resolveDifyBase } from '../dify/base-url';
import { ServerError } from '../errors/server-error';
import { breather } from '../http/time-slices';
import { diagnose } from './findings/diagnosis';
import { remember, withMemory } from './memory';
import type { CheckResult, Finding, ModelFacts, Observations } from './observations';
import { probeDify } from './probes/dify';
import { probeModelServer } from './probes/model-server';
import { observe, type CheckOptions, type Target } from './probes/observe';
import { plainText } from '../plain-text';

const PROBES = { dify: probeDify, modelServer: probeModelServer };

/**
 * Checks a server. Cheap: no generation, no model is loaded or woken.
 *
 * @throws {ServerError} only of kind `aborted`
 */
export async function checkServer(
	target: Target,
	options: CheckOptions = {},
): Promise<CheckResult> {
	return (await inspect(target, options)).result;
}

/** Checks one server, and also returns what was observed. */
export async function inspect(
	target: Target,
	options: CheckOptions = {},
): Promise<{ result: CheckResult; observations: Observations }> {
	const observations = withMemory(await observe(target, PROBES[target.service], options));
	// Reading a list of 60,000 models, and saying what it tells, are each work enough in a row.
	await breather();
	const diagnosis = diagnose(observations);
	remember(observations, diagnosis.status);
	return { result: resultOf(observations, diagnosis), observations };
}

function resultOf(
	observations: Observations,
	{ status, summary, findings, facts }: ReturnType<typeof diagnose>,
): CheckResult {
	const { server, latencyMs, app, ...more } = facts;
	return {
		// n8n's views show the first fields, so the verdict and the findings come before facts.
		summary: plainText(summary),
		status,
		healthy: status === 'healthy',
		url: addressOf(observations),
		findings,
		server,
		latencyMs,
		...(app === undefined ? more : { app }),
		checkedAt: new Date().toISOString(),
		checkMs: observations.checkMs,
	};
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
	const { models = [], server, findings, summary } = result;
	const [gravest] = findings;
	if (models.length === 0 && !isEmptyList(observations, gravest))
		throw noList(observations, gravest, summary);
	return models.map((model) => ({ ...model, server: server.kind }));
}

/** Whether the server has a list of models, with nothing in it. */
function isEmptyList({ probes }: Observations, gravest: Finding | undefined): boolean {
	return gravest?.id === 'noModels' && probes.models?.failure === undefined;
}

function noList(
	{ rejected, probes, url }: Observations,
	gravest: Finding | undefined,
	summary: string,
): ServerError {
	const failure = rejected ?? probes.models?.failure;
	const { meaning, advice, observed } = gravest ?? {
		meaning: summary,
		advice: '',
		observed: undefined,
	};
	return new ServerError({
		kind: failure?.kind ?? 'invalidAnswer',
		message: meaning,
		remedy: advice,
		url: url && `${url.api}/models`,
		facts: { observed },
	});
}

function addressOf({ service, url }: Observations): string | null {
	if (url === undefined) return null;
	return service === 'dify' ? resolveDifyBase(url.typed) : url.root;
}
