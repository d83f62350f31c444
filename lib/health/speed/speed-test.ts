import { invalidInput } from '../../errors/failure';
import type { ServerError } from '../../errors/server-error';
import { kindOfServer } from '../answers';
import { inspect } from '../check';
import { findModel } from '../findings/expectations';
import { sorted, withTestFindings } from '../findings/finding';
import type { CheckResult, HealthServerKind, ModelFacts } from '../observations';
import type { CheckOptions, Target } from '../probes/observe';
import { measureSpeed, type SpeedOptions, type SpeedRun } from './measure';
import { judgeSpeed } from './verdict';
import { secondsInWords } from '../numbers';
import { loadedOrAll } from '../../servers/model-names';

export interface SpeedTestOptions extends Omit<SpeedOptions, 'serverKind'> {
	/** Empty: the one that is loaded. */
	model: string;
	/** Requests at once in a second round; up to 1 = no second round. */
	atOnce: number;
	/** Part of a report: an unclear model is a finding, not an error. */
	isPart?: boolean;
	check?: CheckOptions;
}

export interface SpeedTestResult extends CheckResult {
	/** Null where the check found that a generation cannot work. */
	speed: { model: string; runs: SpeedRun[] } | null;
}

interface Tested {
	target: Target;
	result: CheckResult;
	model: string;
	options: SpeedTestOptions;
}

/** First text and first token are read from the same packet, but not at the same moment. */
const LATER_MS = 20;

/**
 * Checks the server, then generates a little: alone, and several times at once where asked for. Loads or wakes the
 * model if it has to.
 *
 * @throws {ServerError} of kind `aborted`, or `invalidInput` where no model is named and it is not clear which one is
 *   meant
 */
export async function testSpeed(
	target: Target,
	options: SpeedTestOptions,
): Promise<SpeedTestResult> {
	const { result } = await inspect(target, { ...options.check, signal: options.signal });
	if (!canGenerate(result)) return { ...result, speed: null };
	const model = options.model.trim() || modelToTest(result.models ?? [], result.server.kind);
	if (typeof model !== 'string') {
		if (options.isPart !== true) throw model;
		return { ...withoutModel(result, model), speed: null };
	}
	const tested: Tested = { target, result, model, options };
	const rounds = await measureRounds(tested);
	const verdict = withTestFindings(result, judgeRounds(tested, rounds));
	const summary = summaryOf(tested, verdict, rounds.runs);
	return { ...result, ...verdict, summary, speed: { model, runs: rounds.runs } };
}

/** Whether the check found nothing that forbids a generation. */
export function canGenerate({ status }: CheckResult): boolean {
	return status === 'healthy' || status === 'degraded';
}

function judgeRounds({ result, model, options }: Tested, { runs, atOnce }: Rounds) {
	const { total = null, busy = null } = result.slots ?? {};
	const facts = factsOfModel(result, model);
	return judgeSpeed(runs, facts, { slots: total, busy, requested: options.atOnce, atOnce });
}

/** What the server tells of the model that answers to a name. */
export function factsOfModel(
	{ models = [], server }: CheckResult,
	name: string,
): ModelFacts | undefined {
	const model = findModel(models, name, server.kind);
	return model ?? (kindOfServer(server.kind).models.ignoresName ? models[0] : undefined);
}

function summaryOf(
	{ result, model }: Tested,
	{ healthy, findings }: Pick<CheckResult, 'healthy' | 'findings'>,
	[first]: readonly SpeedRun[],
): string {
	if (!healthy) return `${findings[0]?.meaning ?? result.summary}.`;
	if (first === undefined) return result.summary;
	return `${model}: ${[speedOf(first), ...firstsOf(first)].join(', ')}.`;
}

interface Rounds {
	runs: SpeedRun[];
	/** Requests at once, as far as the credential allows. */
	atOnce: number;
}

async function measureRounds({ target, result, model, options }: Tested): Promise<Rounds> {
	const connection = target.connect({});
	const { kind: serverKind } = result.server;
	const run = async (atOnce: number) =>
		await measureSpeed(connection, { ...options, model, serverKind, atOnce });
	// The credential's limit holds here too: more requests would be measured one after the other.
	const atOnce = Math.min(options.atOnce, target.maxConcurrentRequests || Infinity);
	const first = await run(1);
	const isRepeated = atOnce > 1 && first.samples.length > 0;
	return { runs: isRepeated ? [first, await run(atOnce)] : [first], atOnce };
}

function speedOf({ tokensPerSecond, samples }: SpeedRun): string {
	if (tokensPerSecond === null) return 'unknown speed';
	return `${samples[0]?.measuredBy === 'wholeAnswer' ? 'at least ' : ''}${tokensPerSecond} tokens/s`;
}

/** The first text only where thinking came before it. */
function firstsOf({ firstTokenMs, firstTextMs }: SpeedRun): string[] {
	const isLater =
		firstTextMs !== null && (firstTokenMs === null || firstTextMs > firstTokenMs + LATER_MS);
	return [
		firstTokenMs === null
			? 'first token not to be seen'
			: `first token after ${secondsInWords(firstTokenMs)} s`,
		...(isLater ? [`first text after ${secondsInWords(firstTextMs)} s`] : []),
	];
}

/** The result of a report, with a finding that it is not clear which model is meant. */
export function withoutModel<R extends CheckResult>(
	result: R,
	{ message, remedy }: ServerError,
): R {
	const finding = {
		id: 'speedNotMeasured',
		severity: 'info',
		observed: 'No request was sent',
		meaning: message,
		advice: remedy,
	} as const;
	const others = result.findings.filter(({ id }) => id !== finding.id);
	return { ...result, findings: sorted([...others, finding]) };
}

/** The model that an empty name means, or why that is not clear. */
export function modelToTest(
	models: readonly ModelFacts[],
	kind: HealthServerKind,
): string | ServerError {
	const forChats = models.filter(({ embeddings }) => embeddings !== true);
	const candidates = loadedOrAll(forChats.length > 0 ? forChats : models);
	if (candidates.length === 1 || (candidates.length > 0 && kindOfServer(kind).models.ignoresName))
		return candidates[0]!.id;
	return invalidInput(
		candidates.length === 0
			? 'The server lists no model, and none is chosen'
			: 'The server has several models, and none is chosen',
		'Choose the model to test in the node.',
	);
}
