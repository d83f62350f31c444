import type { INodeProperties } from 'n8n-workflow';

import type { ValuePlace } from '../../../lib/errors/facts';
import { createServerError } from '../../../lib/errors/create-error';
import { markModelValue } from '../../../lib/n8n/model-fields';

const text = (displayName: string, name: string): INodeProperties => ({
	displayName,
	name,
	type: 'string',
	default: '',
});

const PROPERTIES: INodeProperties[] = [
	text('Prompt', 'prompt'),
	text('Workflow', 'workflowId'),
	text('Inputs as JSON', 'inputsJson'),
	{ displayName: 'Form', name: 'inputs', type: 'resourceMapper', default: {} },
	{
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		default: {},
		options: [text('Maximum Tokens', 'maxTokens'), text('Sampling: Top K', 'topK')],
	},
	{
		displayName: 'Fields',
		name: 'fields',
		type: 'fixedCollection',
		default: {},
		options: [{ displayName: 'Field', name: 'values', values: [text('Description', 'about')] }],
	},
];

interface Case {
	title: string;
	stored: unknown;
	places: ValuePlace[];
	isFilledByModel: boolean;
}

const MODEL = "={{ $fromAI('x') }}";

test.each<Case>([
	{
		title: 'a field',
		stored: { prompt: MODEL },
		places: [{ label: 'Prompt' }],
		isFilledByModel: true,
	},
	{
		title: 'an ID, whose field has the label of its list',
		stored: { workflowId: { __rl: true, mode: 'id', value: MODEL } },
		places: [{ label: 'workflow ID' }],
		isFilledByModel: true,
	},
	{
		title: 'an option whose name is not its label',
		stored: { options: { maxTokens: MODEL } },
		places: [{ label: 'Maximum Tokens' }],
		isFilledByModel: true,
	},
	{
		title: 'one of two options',
		stored: { options: { maxTokens: 5, topK: MODEL } },
		places: [{ label: 'Maximum Tokens' }, { label: 'Sampling: Top K' }],
		isFilledByModel: true,
	},
	{
		title: 'a field of an entry',
		stored: { fields: { values: [{ about: 'x' }, { about: MODEL }] } },
		places: [{ label: 'Description' }],
		isFilledByModel: true,
	},
	{
		title: 'an entry of a form',
		stored: { inputs: { mappingMode: 'defineBelow', value: { topic: MODEL } } },
		places: [{ label: 'Form', entry: 'topic' }],
		isFilledByModel: true,
	},
	{
		title: 'another entry of a form',
		stored: { inputs: { mappingMode: 'defineBelow', value: { topic: 'x', age: MODEL } } },
		places: [{ label: 'Form', entry: 'topic' }],
		isFilledByModel: false,
	},
	{
		title: 'an entry that the form does not have',
		stored: { inputs: { mappingMode: 'defineBelow', value: { age: MODEL } } },
		places: [{ label: 'Form', entry: 'topic' }],
		isFilledByModel: false,
	},
	{
		title: 'an entry in code',
		stored: { inputsJson: "={{ JSON.stringify({ age: $fromAI('a', 'Age: in years') }) }}" },
		places: [{ label: 'Inputs as JSON', entry: 'age' }],
		isFilledByModel: true,
	},
	{
		title: 'an entry in JSON',
		stored: { inputsJson: `={ "topic": "x", "age": ${MODEL.slice(1)} }` },
		places: [{ label: 'Inputs as JSON', entry: 'age' }],
		isFilledByModel: true,
	},
	{
		title: 'an entry of the author in JSON',
		stored: { inputsJson: `={ "topic": "x", "age": ${MODEL.slice(1)} }` },
		places: [{ label: 'Inputs as JSON', entry: 'topic' }],
		isFilledByModel: false,
	},
	{
		title: 'JSON that the model writes as a whole',
		stored: { inputsJson: "={{ $fromAI('inputs', 'All inputs', 'json') }}" },
		places: [{ label: 'Inputs as JSON', entry: 'topic' }],
		isFilledByModel: true,
	},
	{
		title: 'a field of the author',
		stored: { prompt: 'SHOUT' },
		places: [{ label: 'Prompt' }],
		isFilledByModel: false,
	},
	{
		title: 'a field of the author beside one of the model',
		stored: { prompt: 'SHOUT', options: { maxTokens: "={{ $fromAI('prompt') }}" } },
		places: [{ label: 'Prompt' }],
		isFilledByModel: false,
	},
	{
		title: 'an expression of the author',
		stored: { prompt: '={{ $json.fromAI }}' },
		places: [{ label: 'Prompt' }],
		isFilledByModel: false,
	},
	{
		title: 'a field that is not of the node',
		stored: { tenant: MODEL },
		places: [{ label: 'Tenant' }],
		isFilledByModel: false,
	},
])('an error about $title', ({ stored, places, isFilledByModel }) => {
	const error = createServerError('badRequest', {}, { inputWords: { title: 'no' } }).withField(
		'Label',
		places,
	);
	const marked = markModelValue(error, { properties: PROPERTIES, stored });
	expect(marked.isFilledByModel ?? false).toBe(isFilledByModel);
	expect(marked.message).toBe(error.message);
});

test('an error about no field is not marked', () => {
	const error = createServerError('badRequest', {}, { inputWords: { title: 'no' } });
	expect(markModelValue(error, { properties: PROPERTIES, stored: { prompt: MODEL } })).toBe(error);
});
