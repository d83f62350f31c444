import { largestOf, optional } from '../../values';
import type { Classification, ClassifyTask } from '../classification';
import type { Label } from '../labels';
import { askDecisionModel, type DecisionRequest, isDecisionModel } from './decision-model';
import { type Question, YES_NO } from './questions';
import type { Decision } from './wire';

/** The text of the question for one of several labels, and for the only label. */
const QUESTION = 'Which of these categories does the text belong to?';
/** The name of the only question. */
const CATEGORY = 'category';

type Outcome = Omit<Classification, 'server' | 'method'>;

/**
 * Classifies a text by a decision model: one choice, or a yes or no for each of several labels.
 *
 * @param options the labels of the task, and the one for none of them
 * @returns undefined where the model is no decision model
 * @throws {ServerError}
 */
export async function classifyByDecisions(
	{ attempt, kind, signal, ...request }: Omit<DecisionRequest, 'input' | 'questions'>,
	task: ClassifyTask,
	options: readonly Label[],
): Promise<Outcome | undefined> {
	const { connection, model } = attempt;
	if (!(await isDecisionModel(connection, kind, model, signal))) return undefined;
	const { text, media = [], several, labels } = task;
	const questions = several ? labels.map(askIfFits(task)) : [askWhichFits(task, options)];
	const input = { text, media };
	const answers = await askDecisionModel({ ...request, attempt, kind, signal, input, questions });
	if (answers === undefined) return undefined;
	const { decisions, usage, model: answering } = answers;
	const outcome = several ? fittingLabels(decisions, task) : onlyLabel(decisions[0]!, task);
	return { ...outcome, ...optional({ usage, model: answering }) };
}

function askWhichFits({ instructions }: ClassifyTask, options: readonly Label[]): Question {
	return {
		name: CATEGORY,
		kind: 'choice',
		text: withInstructions(QUESTION, instructions),
		options,
	};
}

function askIfFits({ instructions }: ClassifyTask) {
	return ({ name, description }: Label): Question => {
		const text = withInstructions(`Does the text belong to the category "${name}"?`, instructions);
		const [yes, no] = YES_NO;
		return { name, kind: 'yesNo', text, options: [{ name: yes, description }, { name: no }] };
	};
}

function withInstructions(question: string, instructions: string): string {
	return instructions.trim() === '' ? question : `${question}\n${instructions.trim()}`;
}

function onlyLabel({ option, probabilities }: Decision, { labels }: ClassifyTask): Outcome {
	const scores = probabilities?.slice(0, labels.length);
	const none = probabilities?.[labels.length];
	if (option === undefined) return { labels: [], ...optional({ scores, none }), unread: '' };
	const confidence = probabilities?.[option];
	const isLabel = option < labels.length;
	return { labels: isLabel ? [option] : [], ...optional({ scores, none, confidence }) };
}

/** The labels that are likelier than not; the likeliest one where one must fit. */
function fittingLabels(decisions: readonly Decision[], { mayBeNone }: ClassifyTask): Outcome {
	const scores = decisions.flatMap(({ probabilities }) => probabilities?.[0] ?? []);
	if (scores.length < decisions.length) return { labels: [], unread: '' };
	const least = mayBeNone ? 0.5 : Math.min(0.5, largestOf(scores));
	const likeliestFirst = scores
		.map((score, label) => ({ score, label }))
		.filter(({ score }) => score >= least)
		.sort((one, other) => other.score - one.score);
	const labels = likeliestFirst.map(({ label }) => label);
	return { labels, scores, ...optional({ confidence: likeliestFirst.at(-1)?.score }) };
}
