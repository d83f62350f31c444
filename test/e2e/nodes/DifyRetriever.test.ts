/** Dify Retriever, as a person sees it in the editor. */
import { describeSubNode, ROOT } from '../support/describe-sub-node';
import { localModel } from '../support/workflows';

describeSubNode('difyRetriever', {
	credentialType: 'difyApi',
	connector: 'Retriever',
	nodes: async (credentialFor) => ({
		[ROOT]: {
			type: '@n8n/n8n-nodes-langchain.chainRetrievalQa',
			typeVersion: 1.6,
			parameters: { promptType: 'define', text: 'What is a llama?' },
		},
		Model: localModel(await credentialFor('localLlamaApi'), {}, ROOT),
	}),
	asAdded: 'The field "Knowledge Base Names or IDs" is empty',
	choose: async ({ editor: { get, page } }) => {
		const list = get('parameter-input-difyDatasetIds');
		// A click has no effect while n8n loads the list.
		await list.locator('input:enabled').first().waitFor();
		await list.click();
		await page.getByRole('option', { name: 'Vicuna.txt' }).click();
		await page.keyboard.press('Escape');
	},
	result: 'The llama is a domesticated animal',
});
