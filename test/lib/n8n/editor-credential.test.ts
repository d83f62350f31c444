import { ExpressionError } from 'n8n-workflow';
import type { ILoadOptionsFunctions } from 'n8n-workflow';
import { DifyChatMessage } from '../../../nodes/DifyChatMessage/DifyChatMessage.node';
import { getKnowledgeBases } from '../../../nodes/DifyRetriever/fields';
import { searchDocuments, searchKnowledgeBases } from '../../../nodes/shared/dify/editor-lists';
import { modelSearches } from '../../../nodes/shared/fields/model-selection';
import { searchVoices } from '../../../nodes/shared/fields/voice-selection';
import { editorContext } from '../../support/n8n/editor-context';

/** Of n8n 2.41, for `$workflow.id`, `$json.key`, `$('Set')` and `$input` in the API key of a credential. */
const N8N_MESSAGES = [
	'save workflow to view',
	"Node '' hasn't been executed",
	"Referenced node doesn't exist",
	'No execution data available',
];

const withFailedCredential = (error: Error): ILoadOptionsFunctions => ({
	...editorContext({}),
	getCredentials: async () => await Promise.reject(error),
});

/** What a list tells: in its error, its entry or its notice. */
type Tell = (context: ILoadOptionsFunctions) => Promise<string>;

const tellError =
	(search: (this: ILoadOptionsFunctions) => Promise<unknown>): Tell =>
	async (context) =>
		await search.call(context).then(JSON.stringify, ({ message }: Error) => message);

const LISTS: Record<string, Tell> = {
	models: tellError(modelSearches.searchModels),
	'embedding models': tellError(modelSearches.searchEmbeddingModels),
	rerankers: tellError(modelSearches.searchRerankers),
	voices: tellError(searchVoices),
	'knowledge bases': tellError(searchKnowledgeBases),
	documents: tellError(searchDocuments),
	'knowledge bases of the retriever': async (context) =>
		JSON.stringify(await getKnowledgeBases.call(context)),
	'the form of an app': async (context) =>
		JSON.stringify(await new DifyChatMessage().methods.resourceMapping.getForm.call(context)),
};

describe.each(Object.entries(LISTS))('the list of %s', (_, tell) => {
	test.each(N8N_MESSAGES)('explains an expression that n8n cannot resolve: %s', async (message) => {
		const text = await tell(withFailedCredential(new ExpressionError(message)));
		expect(text).toContain('An expression in the credential needs the workflow');
		expect(text).toContain(message);
		expect(text).toMatch(/instead of the list/);
	});

	test('keeps any other error of n8n', async () => {
		const text = await tell(withFailedCredential(new Error('Credential with ID "1" is missing')));
		expect(text).toContain('Credential with ID');
		expect(text).not.toContain('expression');
	});
});
