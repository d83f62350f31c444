import { LocalChatModel } from '../../../nodes/LocalChatModel/LocalChatModel.node';
import { useChatModel } from '../../support/chat-model';

const { supplied } = useChatModel();

describe('what n8n looks at before it takes the model', () => {
	it('is a chat model that can bind tools', async () => {
		const { model } = await supplied();
		const chatModel = model as unknown as {
			lc_namespace: string[];
			_modelType(): string;
			_llmType(): string;
			bindTools: unknown;
		};
		expect(chatModel.lc_namespace).toContain('chat_models');
		expect(chatModel._modelType()).toBe('base_chat_model');
		expect(chatModel._llmType()).toBe('local-llama');
		expect(typeof chatModel.bindTools).toBe('function');
	});

	it('its output is a language model, and its one credential must be chosen', () => {
		const { description, methods } = new LocalChatModel();
		expect(description).toMatchObject({
			inputs: [],
			outputs: ['ai_languageModel'],
			credentials: [{ name: 'localLlamaApi', required: true }],
		});
		const searched = JSON.stringify(description.properties).match(/"searchListMethod":"(\w+)"/g);
		expect(searched).toEqual(['"searchListMethod":"searchModels"']);
		expect(Object.keys(methods.listSearch)).toEqual(['searchModels']);
	});
});
