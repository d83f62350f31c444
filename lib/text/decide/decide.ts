import type { Usage } from '../../chat/types';
import type { Connection } from '../../http/connection';
import { askServerKind } from '../../servers/identify';
import { identifiedKind, type KindName } from '../../servers/kinds';
import { requireModel } from '../../servers/model-names';
import { type Attempt, ServerPool } from '../../servers/pool/server-pool';
import { untilReady } from '../../servers/retry';
import { optional } from '../../values';
import type { Classification, DecisionMethod } from '../classification';
import { checkLabels, classifyByLetters, type ClassifySettings } from '../classify';
import { addUsage } from '../usage';
import { askDecisionModel } from './decision-model';
import { checkQuestions, type Question } from './questions';
import { type Decision, type DecisionInput, type Decisions, meanLevel } from './wire';

interface DecisionResult extends Decisions {
	method: DecisionMethod;
	/** Left out where nothing told it. */
	server?: KindName;
}

/**
 * Answers typed questions about a text, its pictures and sound: by a decision model all in one request, else by an
 * ordinary model one after the other, which writes the letter of an option.
 *
 * @throws {ServerError} of kind `invalidInput` for bad questions, or the failure of a request
 */
export async function decide(
	servers: Connection | ServerPool,
	settings: ClassifySettings,
	task: { input: DecisionInput; questions: readonly Question[] },
	signal?: AbortSignal,
): Promise<DecisionResult> {
	checkQuestions(task.questions);
	requireModel(settings.model);
	const { value } = await ServerPool.of(servers).run(
		async (attempt) => {
			const kind = await askServerKind(attempt.connection, attempt.model, { signal });
			const { extraBody } = settings.parameters;
			const decisions = await askDecisionModel({ attempt, kind, extraBody, signal, ...task });
			if (decisions !== undefined) {
				const method = 'decisionModel' as const;
				return { ...decisions, method, ...optional({ server: identifiedKind(kind) }) };
			}
			return await decideByLetters(attempt, settings, task, signal);
		},
		untilReady(settings, signal),
	);
	return value;
}

async function decideByLetters(
	attempt: Attempt,
	{ parameters }: ClassifySettings,
	{ input, questions }: { input: DecisionInput; questions: readonly Question[] },
	signal: AbortSignal | undefined,
): Promise<DecisionResult> {
	for (const { options } of questions) checkLabels(options, false);
	const classifications: Classification[] = [];
	for (const { text: question, options: labels } of questions) {
		const task = { ...input, question, labels, several: false, mayBeNone: false, instructions: '' };
		classifications.push(await classifyByLetters(attempt, parameters, task, signal));
	}
	let usage: Usage | undefined;
	for (const one of classifications) usage = addUsage(usage, one.usage);
	const { model, server } = classifications[0]!;
	return {
		decisions: classifications.map((one, index) => decisionOf(one, questions[index]!)),
		method: 'letters',
		...optional({ usage, model, server }),
	};
}

function decisionOf({ labels, scores, unread }: Classification, { kind }: Question): Decision {
	const score = kind === 'score' ? meanLevel(scores) : undefined;
	return optional({ option: labels[0], probabilities: scores, score, unread });
}
