import type { INodeProperties } from 'n8n-workflow';

import { generationFields } from '../shared/chat/generation-fields';
import {
	booleanField,
	choiceField,
	choices,
	optionsCollection,
	wholeField,
} from '../shared/field-kinds';
import { samplerFields } from '../shared/chat/sampler-fields';
import { traceField } from './settings';

/** Options that the node itself implements. */
const ownFields: INodeProperties[] = [
	choiceField('Send Thinking Back', 'reasoningEcho', 'toolTurns', {
		options: choices({
			always: ['Always', 'With every message of the conversation that has it'],
			toolTurns: [
				'In Tool Turns',
				'While the model calls tools for one question. Models expect that.',
			],
			off: 'Never',
		}),
		description: 'Whether the model gets its own thinking back with the results of its tools',
	}),
	booleanField('Show Thinking in Answer', 'showThinking', false, {
		description:
			'Whether the thinking is put in front of the answer between think tags. It is in the execution log in any case.',
	}),
	wholeField('History Budget', 'historyBudget', 0, [0], {
		description:
			'Tokens that the earlier turns of the conversation may have. Beyond it, whole turns are left out from the oldest on, a quarter of the budget at once, so that the server can keep its prompt cache. The system prompt and the current turn always stay. 0 = everything is sent.',
	}),
	wholeField('Token Budget', 'tokenBudget', 0, [0], {
		description:
			'Tokens that all models of one execution may read and write together. When they are spent, the next request fails before it is sent. 0 = no limit.',
	}),
	choiceField('Tool Calls in Text', 'toolCallsInText', 'read', {
		options: choices({
			leave: ['Leave', 'The markup stays in the answer, and no tool is called'],
			read: ['Read', 'A complete call of a connected tool becomes a tool call'],
		}),
		description:
			'What happens to a tool call that the server hands on as text because it lacks the parser or the chat template for the model',
	}),
	wholeField('Tools at Once', 'toolsAtOnce', 10, [0], {
		description:
			'How many of the connected tools the model is offered: those whose names and descriptions fit the questions best, by their words. Tools that were called stay. 0 = all tools.',
	}),
];

export const optionsField: INodeProperties = {
	...optionsCollection([...samplerFields, ...generationFields, ...ownFields, traceField]),
	description: 'Options that are not added are not sent: the settings of the server apply',
};
