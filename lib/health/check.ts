/** A check of a server, in one line: probes → facts → findings → result. */
import { asFailed } from '../errors/server-error';
import { plainText } from '../values';
import { onlyModel } from '../servers/model-names';
import type { ModelServer } from '../servers/types/server-type';
import { lookAtDify, type DifyServer } from './dify';
import { factsOf, type CheckFacts } from './facts';
import { concluded, counted, findingsOf, fromFailure, type CheckOutcome } from './findings';
import { type CheckOptions, since } from './probe';
import { forChats, lookAt } from './probe-server';
import type { CheckResult } from './result';

/** What is checked. */
export type CheckTarget =
	/** `open` throws where the address or the key cannot be used at all. */
	{ service: 'modelServer'; open(): ModelServer } | { service: 'dify'; open(): DifyServer };

/**
 * Checks a server. Cheap: no generation, no model is loaded or woken.
 *
 * @throws {ServerError} only of kind `aborted`
 */
export async function checkServer(
	target: CheckTarget,
	options: CheckOptions = {},
): Promise<CheckResult> {
	const startedAt = performance.now();
	const outcome = await outcomeOf(target, options);
	const { status, healthy, findings } = concluded(outcome.findings);
	return {
		// n8n's views show the first fields, so the verdict and the findings come before facts.
		summary: plainText(healthy ? healthyWords(outcome) : `${findings[0]!.meaning}.`),
		status,
		healthy,
		url: outcome.url,
		findings,
		server: outcome.server,
		latencyMs: outcome.latencyMs,
		...outcome.more,
		checkedAt: new Date().toISOString(),
		checkMs: since(startedAt),
	};
}

/** Whether the check found nothing that forbids a generation. */
export function canGenerate({ status }: CheckResult): boolean {
	return status === 'healthy' || status === 'degraded';
}

/**
 * The model of a test. Empty: the one that is loaded, or the only one.
 *
 * @throws {ServerError} of kind `invalidInput` where that is not clear
 */
export function modelToTest({ models = [] }: CheckResult, name: string): string {
	return name.trim() || onlyModel(forChats(models));
}

function healthyWords({ name, latencyMs, offer, findings }: CheckOutcome): string {
	const warnings = findings.filter(({ severity }) => severity === 'warning').length;
	const hint = warnings === 0 ? '' : `, with ${counted(warnings, 'warning')}`;
	return `${name} responds in ${Math.round(latencyMs ?? 0)} ms with ${offer}${hint}.`;
}

async function outcomeOf(target: CheckTarget, options: CheckOptions): Promise<CheckOutcome> {
	const looked = await lookAtTarget(target, options).catch(asFailed);
	if (!('failed' in looked)) return looked;
	const { failed } = looked;
	if (failed.kind === 'aborted') throw failed;
	const findings = [fromFailure(failed, failed.meaning)];
	const server = { kind: 'unknown', version: null } as const;
	return { url: null, findings, server, latencyMs: null, name: '', offer: '', more: {} };
}

async function lookAtTarget(target: CheckTarget, options: CheckOptions): Promise<CheckOutcome> {
	if (target.service === 'dify') return await lookAtDify(target.open(), options);
	return await lookAtServer(target.open(), options);
}

async function lookAtServer(server: ModelServer, options: CheckOptions): Promise<CheckOutcome> {
	const facts = factsOf(await lookAt(server, options));
	const findings = findingsOf(facts);
	const { url, latencyMs, told } = facts;
	const name = nameOf(facts);
	const offer = counted(told.models.length, 'model');
	return { url, findings, server: facts.server, latencyMs, name, offer, more: told };
}

function nameOf({ kind, server: { version } }: CheckFacts): string {
	return version === null ? kind.label : `${kind.label} ${version}`;
}
