import { failure } from '../errors/failure';
import { traitsOfServer } from './answers';
import { inspect, type CheckResult } from './check';
import { findModel } from './expectations';
import { overall, sorted, worseOf } from './finding';
import type { HealthServerKind, ModelFacts } from './observations';
import type { CheckOptions, Target } from './probes';
import { measureSpeed, type SpeedRun } from './speed';
import { judgeSpeed } from './speed-verdict';

export interface SpeedTestOptions {
	/** Empty: the one that is loaded. */
	model: string;
	/** To generate, for each request. */
	tokens: number;
	/** A second round with so many requests at once; up to 1 = none. */
	atOnce: number;
	firstTokenMs: number;
	/** For each request. */
	totalMs: number;
	check?: CheckOptions;
	signal?: AbortSignal;
}

export interface SpeedTestResult extends CheckResult {
	/** Null where the check found that a generation cannot work. */
	speed: { model: string; runs: SpeedRun[] } | null;
}

/**
 * Checks the server, then generates a little: alone, and several times at once where asked for. Loads or wakes the
 * model if it has to.
 *
 * @throws {ServerError} of kind `aborted`, or `invalidInput` where no model is named and it is not clear which one is
 *   meant
 */
export async function testSpeed(target: Target, options: SpeedTestOptions): Promise<SpeedTestResult> {
	const { signal } = options;
	const { result } = await inspect(target, { ...options.check, signal });
	if (result.status !== 'healthy' && result.status !== 'degraded') return { ...result, speed: null };
	const models = result.models ?? [];
	const model = options.model.trim() || modelToTest(models, result.server.kind);
	const connection = target.connect({});
	const run = async (atOnce: number) =>
		await measureSpeed(connection, { ...options, model, serverKind: result.server.kind, atOnce, signal });
	const runs = [await run(1)];
	const works = runs[0]!.samples.length > 0;
	const atOnce = letThrough(options.atOnce, target.maxConcurrentRequests);
	if (works && atOnce > 1) runs.push(await run(atOnce));
	const tested =
		findModel(models, model) ?? (traitsOfServer(result.server.kind).ignoresModelName ? models[0] : undefined);
	const judged = judgeSpeed(runs, tested, { slots: result.slots?.total ?? null, wanted: options.atOnce, atOnce });
	const status = worseOf(result.status, overall(judged));
	const findings = sorted([...judged, ...result.findings]).map(({ id, severity, observed, meaning, advice }) => ({
		id,
		severity,
		observed,
		meaning,
		advice,
	}));
	const first = runs[0]!;
	const summary =
		status === 'healthy'
			? `${model}: ${speedOf(first)}, first token after ${first.firstTokenMs ?? 'unknown'} ms.`
			: `${findings[0]?.meaning ?? result.summary}.`;
	return { ...result, status, healthy: status === 'healthy', summary, speed: { model, runs }, findings };
}

function speedOf({ tokensPerSecond, samples }: SpeedRun): string {
	if (tokensPerSecond === null) return 'unknown speed';
	return `${samples[0]?.measuredBy === 'wholeAnswer' ? 'at least ' : ''}${tokensPerSecond} tokens/s`;
}

/** The credential's limit holds here too: more requests would be measured one after the other. */
function letThrough(wanted: number, limit: number): number {
	return limit > 0 ? Math.min(wanted, limit) : wanted;
}

function modelToTest(models: readonly ModelFacts[], kind: HealthServerKind): string {
	const loaded = models.filter(({ state }) => state === 'loaded' || state === 'sleeping');
	const candidates = loaded.length > 0 ? loaded : models;
	if (candidates.length === 1 || (candidates.length > 0 && traitsOfServer(kind).ignoresModelName))
		return candidates[0]!.id;
	throw failure(
		'invalidInput',
		{},
		{
			message:
				candidates.length === 0
					? 'The server lists no model, and none is chosen'
					: 'The server has several models, and none is chosen',
			remedy: 'Choose the model to test in the node.',
		},
	);
}
