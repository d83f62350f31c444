/** The rows of what a generation sends: the options of the nodes, and what the nodes set themselves. */
import type { RequestField } from '../../exchange/request-fields';
import { adviseDuration, getNames, getSentValue, MODEL_LABEL } from '../../exchange/request-fields';
import { keepAny } from '../../fields/check-value';
import type { TextField } from '../../fields/field';
import { SERVER_TYPES } from '../../servers/types/index';
import type { SamplingSettings } from '../settings';
import { hasFormatOfOperation } from '../settings';
import type { JsonRecord } from '../../values/records';
import { asFiniteNumber } from '../../values/numbers';
import { GENERATION_OPTION_LIST, GENERATION_OPTIONS } from './generation-options';
import { RESPONSE_FORMAT_FIELDS } from './response-format-fields';
import { THINKING_FIELDS } from './thinking-fields';

/** Names of `max_tokens` on other routes and of llama-server, which also names its own field in messages. */
const TOKEN_NAMES = ['max_completion_tokens', 'n_predict', 'num_predict'];

/** A row for each option. */
const OPTION_FIELDS: readonly RequestField[] = GENERATION_OPTION_LIST.map(
	({ name, fieldName, label }) => ({
		field: fieldName,
		otherNames: [
			...Object.values(SERVER_TYPES).flatMap(({ fieldNames = {} }) => fieldNames[name] ?? []),
			...(name === 'maxTokens' ? TOKEN_NAMES : []),
		],
		label,
		canOmit: true,
		...(name === 'keepAlive' && { getAdvice: () => adviseDuration(label) }),
	}),
);

/** The row of the limit of tokens. */
const MAX_TOKENS_FIELD = OPTION_FIELDS.find(
	({ label }) => label === GENERATION_OPTIONS.maxTokens.label,
)!;

/** The limit of tokens that a body contains, under any of its names; undefined without one. */
export function getSentMaxTokens(body: JsonRecord): number | undefined {
	const { field: name } = MAX_TOKENS_FIELD;
	const tokens = asFiniteNumber(getSentValue({ name, row: MAX_TOKENS_FIELD }, body)) ?? 0;
	return tokens > 0 ? tokens : undefined;
}

/** What every generation contains. */
const COMMON_FIELDS: readonly RequestField[] = [
	{ field: 'model', label: MODEL_LABEL, canOmit: false },
	{ field: 'stream', label: undefined, canOmit: false },
	{ field: 'stream_options', label: undefined, canOmit: true, isTechnical: true },
	...OPTION_FIELDS,
	// Ollama's own routes
	{ field: 'options', label: undefined, canOmit: false },
];

const BUDGET_FIELDS = new Set(
	Object.values(SERVER_TYPES).flatMap(({ thinking }) => thinking.budgetFields),
);

function getThinkingFields({ thinking }: SamplingSettings): RequestField[] {
	const { thinking: mode, thinkingEffort, thinkingBudget } = THINKING_FIELDS;
	const { label } = thinking?.mode === 'effort' ? thinkingEffort : mode;
	return [
		{ field: 'reasoning_effort', label, canOmit: true },
		{ field: 'chat_template_kwargs', label: mode.label, canOmit: true },
		...[...BUDGET_FIELDS].map((field) => ({
			field,
			label: thinkingBudget.label,
			canOmit: true,
		})),
		{ field: 'think', label, canOmit: true },
	];
}

/** Whether a setting of the thinking is among the fields of a request that were omitted. */
export function isThinkingOmitted(omittedFields: readonly string[]): boolean {
	return getThinkingFields({})
		.flatMap(getNames)
		.some((name) => omittedFields.includes(name));
}

/** The rows of a chat. */
export function getChatFields(sampling: SamplingSettings): readonly RequestField[] {
	const isOfOperation = hasFormatOfOperation(sampling.responseFormat);
	const format = isOfOperation ? undefined : RESPONSE_FORMAT_FIELDS.responseFormat.label;
	const grammar = isOfOperation ? undefined : RESPONSE_FORMAT_FIELDS.grammar.label;
	return [
		...COMMON_FIELDS,
		...getThinkingFields(sampling),
		{ field: 'messages', label: undefined, canOmit: false },
		{ field: 'tools', label: undefined, canOmit: false },
		{ field: 'tool_choice', label: undefined, canOmit: true },
		{ field: 'response_format', label: format, canOmit: false },
		{ field: 'format', label: format, canOmit: false },
		{ field: 'grammar', label: grammar, canOmit: false },
		{ field: 'structured_outputs', label: grammar, canOmit: false },
	];
}

/** The text that a completion continues. */
export const COMPLETION_PROMPT = {
	kind: 'text',
	label: 'Prompt',
	rows: 4,
	default: '={{ $json.text }}',
	required: true,
	parse: keepAny,
	description:
		'The text to continue. Expressions may also return an array of texts, each of which creates an item, or an array of tokens.',
} as const satisfies TextField;

/** The rows of a completion without chat template. */
export const COMPLETION_FIELDS: readonly RequestField[] = [
	...COMMON_FIELDS,
	{ field: 'prompt', label: COMPLETION_PROMPT.label, canOmit: false },
	// Ollama's own route
	{ field: 'raw', label: undefined, canOmit: false },
	{ field: 'truncate', label: undefined, canOmit: false },
];
