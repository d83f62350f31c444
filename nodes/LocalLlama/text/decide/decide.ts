import { answerTo, type DecidedAnswer } from '../../../../lib/text/decide/answers';
import { decide } from '../../../../lib/text/decide/decide';
import { optional } from '../../../../lib/values';
import { readGeneration } from '../../../shared/chat/generation-settings';
import { GENERATION_RETRIES, readLimits } from '../../../shared/limit-fields';
import { modelField } from '../../../shared/model-field';
import type { NodeParameters } from '../../../shared/parameters';
import { withModel } from '../../../shared/search-models';
import type { LlamaCall, LocalLlamaOperation } from '../../operation';
import { optionFields } from '../../options';
import { reportAnswer } from '../answer';
import { briefOptions } from '../brief-options';
import { binaryFieldsField, inputIn } from '../files';
import { textField } from '../text-field';
import { questionFields, questionsIn } from './question-fields';

export const textDecide: LocalLlamaOperation = {
	option: {
		name: 'Decide',
		value: 'decide',
		action: 'Decide questions about a text',
		description:
			'Answers questions about a text or a picture with probabilities: a choice, a level, yes or no. Decision models answer all of them at once, other models one after the other.',
	},
	fields: [
		modelField(
			{ description: 'A decision model, or an ordinary one that reads the text' },
			{ search: 'searchDecidingModels', example: 'nimble', mayBeEmpty: true },
		),
		textField,
		binaryFieldsField('They belong to the text.'),
		...questionFields,
		...optionFields(briefOptions),
	],
	run: async (call) => {
		const { parameters, servers, signal } = call;
		const askedQuestions = questionsIn(parameters);
		const questions = askedQuestions.map(({ question }) => question);
		const input = await inputIn(call);
		const settings = await withModel(settingsIn(parameters), servers, 'decisions', signal);
		const result = await decide(servers, settings, { input, questions }, signal);
		reportAnswer(call, { ...result, notes: [] });
		const answers = askedQuestions.map(({ question, threshold }, index) =>
			answerTo(question, result.decisions[index]!, threshold),
		);
		const names = questions.map(({ name }) => name);
		hintAtMissing(call, names, answers);
		const { method, usage, model, server } = result;
		return [
			{
				json: {
					answers: Object.fromEntries(names.map((name, index) => [name, answers[index]])),
					undecided: answers.some(({ undecided }) => undecided),
					method,
					...optional({ usage, model, server }),
				},
			},
		];
	},
};

function settingsIn(parameters: NodeParameters) {
	return {
		model: parameters.name('model'),
		parameters: { temperature: 0, ...readGeneration(parameters) },
		...readLimits(parameters, GENERATION_RETRIES),
	};
}

function hintAtMissing(
	call: LlamaCall,
	names: readonly string[],
	answers: readonly DecidedAnswer[],
): void {
	const missing = names.filter((_name, index) => answers[index]!.answer === null);
	if (missing.length === 0) return;
	call.hint(
		`The model gave no answer that can be read to ${missing.map((name) => `"${name}"`).join(', ')}: it is null, and undecided. Describe the options, or choose a larger model.`,
	);
}
