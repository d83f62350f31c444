/** Any value of each own option of the chat model, as expressions return them: the setting, or the error. */
import path from 'node:path';
import { asServerErrorOrThrow } from '../../../lib/errors/server-error';
import { fields } from '../../../nodes/LocalChatModel/fields';
import { toLimits, toSettings } from '../../../nodes/LocalChatModel/settings';
import { ItemSource } from '../../../nodes/shared/fields/item-source';
import { readValues } from '../../../nodes/shared/fields/read-values';
import { expectApproved, joinPlaces } from '../../support/approved/approved-table';
import { fakeContext } from '../../support/n8n/context';
import { markWords } from '../../support/approved/outcome';

const DEFAULTS = {
	model: 'qwen3',
	serverType: 'auto',
	thinking: 'serverDefault',
	thinkingEffort: 'medium',
	thinkingBudget: 1024,
	responseFormat: 'text',
	jsonSchema: '{}',
	grammar: '',
};

const VALUES: readonly unknown[] = [
	undefined,
	null,
	'',
	' ',
	0,
	'0',
	7,
	'7.5',
	-1,
	true,
	'true',
	'false',
	'always',
	'leave',
	'a',
	' a , b ,',
	['a', ' b '],
	['', 'c'],
	[],
	{ a: 1 },
];

/** Each option with where its value goes. */
const OPTIONS: Readonly<Record<string, (value: unknown) => object>> = {
	thinkingHistory: (value) => ({ thinkingHistory: value }),
	showThinking: (value) => ({ showThinking: value }),
	toolCallsInText: (value) => ({ toolCallsInText: value }),
	historyBudget: (value) => ({ historyBudget: value }),
	maxTools: (value) => ({ maxTools: value }),
	tokenBudget: (value) => ({ tokenBudget: value }),
	trace: (value) => ({ trace: value }),
	'trace: recordTexts': (value) => ({ trace: { recordTexts: value } }),
	'trace: sessionId': (value) => ({ trace: { sessionId: value } }),
	'trace: tags': (value) => ({ trace: { tags: value } }),
	'trace: userId': (value) => ({ trace: { userId: value } }),
};

const read = (options: object) => {
	const { context } = fakeContext({ ...DEFAULTS, options }, {});
	const parameters = readValues(new ItemSource(context, 0), fields);
	try {
		return { ...toSettings(parameters), ...toLimits(parameters) };
	} catch (error) {
		const { type, message, suggestion, field } = asServerErrorOrThrow(error);
		const words = markWords([message.replace(/but is .*/, 'but is VALUE'), suggestion]);
		return { error: `${type}${words}`, field };
	}
};

test('each value of each option has its setting', () => {
	const plain = Object.entries(read({})).map(([name, value]) => [name, JSON.stringify(value)]);
	const outcomes = Object.entries(OPTIONS).flatMap(([subject, place]) =>
		VALUES.map((value) => ({
			subject,
			place: JSON.stringify(value) ?? 'undefined',
			outcome: Object.fromEntries(
				Object.entries(read(place(value))).filter(
					([name, setting]) =>
						!plain.some(([known, text]) => known === name && text === JSON.stringify(setting)),
				),
			),
		})),
	);
	expectApproved(
		path.join(__dirname, 'settings.any-values.approved.txt'),
		joinPlaces(outcomes),
		'An option has its value, or is refused by its name',
	);
});
