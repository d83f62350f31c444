/** The fields of Local Chat Model. */
import { GENERATION_OPTIONS } from '../../lib/chat/body/generation-options';
import { THINKING_FIELDS } from '../../lib/chat/body/thinking-fields';
import { checkPlainText } from '../../lib/fields/check-value';
import type { FieldTable, ValueSource } from '../../lib/fields/field';
import { splitNames } from '../../lib/n8n/binary';
import { responseFormatFields } from '../shared/chat/response-format';
import { optionsField } from '../shared/fields/options-field';
import { modelField } from '../shared/fields/model-selection';
import { generationRequestOptions } from '../shared/fields/request-options';

/** What traces contain besides the request and its response. */
const traceFields = {
	recordTexts: {
		kind: 'switch',
		label: 'Record Content',
		default: false,
		description:
			'Whether traces contain the conversation and the response. Everyone with access to the traces can read them.',
	},
	sessionId: {
		kind: 'name',
		label: 'Session ID',
		placeholder: 'e.g. {{ $json.sessionId }}',
		description: 'Shared by all traces of a conversation',
		parse: parseId,
	},
	tags: {
		kind: 'name',
		label: 'Tags',
		placeholder: 'e.g. support, production',
		description: 'Comma-separated',
		parse: parseTags,
	},
	userId: { kind: 'name', label: 'User ID', description: 'The user who asks', parse: parseId },
} as const satisfies FieldTable;

/** The texts of a value, which may be a list from an expression. */
function toTexts(value: unknown, source: ValueSource) {
	return [value].flat().map((entry) => checkPlainText(source, entry));
}

/** The first one that is not blank. */
function parseId(value: unknown, source: ValueSource): string | undefined {
	return toTexts(value, source)
		.map((text) => text.trim())
		.find(Boolean);
}

function parseTags(value: unknown, source: ValueSource): string[] {
	return splitNames(toTexts(value, source).join(','));
}

/** Options that the node itself implements. */
const ownOptions = {
	thinkingHistory: {
		kind: 'choice',
		label: 'Thinking: Include in History',
		default: 'toolTurns',
		choices: {
			always: ['Always', 'For every earlier message that contains thinking'],
			toolTurns: [
				'During Tool Calls',
				'While the model calls tools for one question, as models expect',
			],
			never: 'Never',
		},
		description: 'Whether the model receives its earlier thinking with the tool results',
	},
	showThinking: {
		kind: 'switch',
		label: 'Thinking: Show in Response',
		default: false,
		description:
			'Whether to put the thinking before the response in think tags. The execution log always contains it.',
	},
	historyBudget: {
		kind: 'number',
		label: 'History Budget',
		default: 0,
		range: [0],
		isInteger: true,
		description:
			'Maximum tokens for earlier turns of the conversation. When exceeded, old tool results are shortened, then the oldest turns are removed as a whole, a quarter of the budget at a time, so that the server can reuse its prompt cache. The system prompt and the current turn are always kept. 0 = send everything.',
	},
	tokenBudget: {
		kind: 'number',
		label: 'Execution Token Budget',
		default: 0,
		range: [0],
		isInteger: true,
		description:
			'Maximum tokens that all models of one execution may read and generate in total. When used up, the next request fails before it is sent. 0 = no limit.',
	},
	toolCallsInText: {
		kind: 'choice',
		label: 'Tools: Calls in Text',
		default: 'read',
		choices: {
			leave: ['Leave', 'Keep the markup in the response and call no tool'],
			read: ['Read', 'Convert a complete call to a connected tool into a tool call'],
		},
		description:
			'What to do with a tool call that the server returns as text because it lacks the parser or chat template for the model',
	},
	maxTools: {
		kind: 'number',
		label: 'Tools: Max Offered',
		default: 10,
		range: [0],
		isInteger: true,
		description:
			'Maximum number of connected tools to offer to the model, selected by how well their names and descriptions match the questions. Tools already called are kept. 0 = all tools.',
	},
} as const satisfies FieldTable;

export const fields = {
	// n8n's own notice of its models, which it hides if users do not connect nodes themselves.
	notice: {
		kind: 'notice',
		label:
			"Connect this node to an AI agent or chain. <a data-action='openSelectiveNodeCreator' data-action-parameter-connectiontype='ai_languageModel'>Insert one</a>",
		containerClass: 'ndv-connection-hint-notice',
	},
	model: modelField(
		'The model that generates the response. A llama-server started with a single model uses that model, whatever you select here',
	),
	...THINKING_FIELDS,
	...responseFormatFields,
	options: {
		...optionsField({
			...GENERATION_OPTIONS,
			...generationRequestOptions,
			...ownOptions,
			trace: {
				kind: 'options',
				label: 'Trace',
				entry: 'Field',
				fields: traceFields,
				description:
					'What traces contain in addition to the request and its response, if n8n exports traces',
			},
		}),
		description: 'Options that you do not add are not sent: the server settings apply',
	},
} as const satisfies FieldTable;
