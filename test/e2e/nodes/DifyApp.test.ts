/** Every operation of Dify Apps, as a person sees it in the editor. */
import { describeScreens } from '../support/describe-screens';

/** The text that the server streams. */
const GENERATED = 'The llama is a domesticated animal';

describeScreens('difyApp', {
	'Dify Apps text generate': { asAdded: GENERATED, result: GENERATED },
	'Dify Apps audio speak': {
		asAdded: 'The field "Text" is empty',
		result: 'File Name: speech.mp3',
		isFile: true,
	},
	'Dify Apps audio transcribe': {
		asAdded: 'The item has no files Check that the node before this one passes on its file',
		result: 'Hello',
	},
	'Dify Apps annotation getAll': { asAdded: 'Vicuna.txt' },
	'Dify Apps annotation create': { asAdded: 'Parameter "Question" is required' },
	'Dify Apps annotation update': { asAdded: 'Parameter "Annotation" is required' },
	'Dify Apps annotation delete': { asAdded: 'Parameter "Annotation" is required' },
	'Dify Apps file upload': {
		asAdded: 'The item has no files Check that the node before this one passes on its file',
	},
	'Dify Apps file download': {
		asAdded: 'Parameter "File ID" is required',
		result: 'Mime Type: text/plain',
		isFile: true,
	},
	'Dify Apps app get': { asAdded: 'user_input_form' },
});
