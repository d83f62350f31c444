/** Every operation of Local Llama, as a person sees it in the editor. */
import { describeScreens } from '../support/describe-screens';

/** The text that the server streams. */
const GENERATED = 'The llama is a domesticated animal';
/** The field of an item that most nodes before this one have. */
const TEXT = '{{ $json.text }}';

describeScreens('localLlama', {
	'Local Llama text chat': {
		reads: '{{ $json.chatInput }}',
		asAdded: 'This item has no chatInput It comes from a Chat Trigger',
		result: GENERATED,
		chat: GENERATED,
		isInGate: true,
	},
	'Local Llama text extract': {
		reads: TEXT,
		asAdded: 'The field "Fields" is empty Add a field for each value',
		result: 'output text city:',
	},
	'Local Llama text classify': {
		reads: TEXT,
		asAdded: 'The field "Labels" is empty Add a label for each possible result',
		result: 'classification text offer The llama keeps its wool.',
	},
	'Local Llama text decide': {
		reads: TEXT,
		asAdded: 'The field "Questions" is empty Add a question',
		result: 'decision text llama:',
	},
	'Local Llama text complete': { reads: TEXT, asAdded: GENERATED, result: GENERATED },
	'Local Llama vector embed': { reads: TEXT, asAdded: '0:1', result: '0:1' },
	'Local Llama vector rerank': {
		asAdded: 'Parameter "Query" is required',
		result: 'output text 1 The llama keeps its wool.',
	},
	'Local Llama image ask': {
		asAdded: 'The item has no files Check that the node before this one passes on its file',
		result: GENERATED,
	},
	'Local Llama image generate': {
		asAdded: 'Parameter "Prompt" is required',
		result: 'File Name: image.png',
		isFile: true,
	},
	'Local Llama image edit': {
		asAdded: 'Parameter "Prompt" is required',
		result: 'File Name: image.png',
		isFile: true,
	},
	'Local Llama audio transcribe': {
		asAdded: 'The item has no files Check that the node before this one passes on its file',
		result: 'Hello',
	},
	'Local Llama audio speak': {
		reads: TEXT,
		asAdded: 'File Name: speech.mp3',
		result: 'File Name: speech.mp3',
		isFile: true,
	},
	'Local Llama model getAll': { asAdded: 'a-model', result: 'a-model' },
	'Local Llama model load': { asAdded: 'Parameter "Model" is required', result: 'ollama' },
	'Local Llama model unload': { asAdded: 'Parameter "Model" is required', result: 'ollama' },
	'Local Llama model pull': { asAdded: 'Parameter "Model Name" is required' },
	'Local Llama model delete': { asAdded: 'Parameter "Model" is required' },
});
