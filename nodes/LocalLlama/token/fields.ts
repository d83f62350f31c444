import type { INodeProperties } from 'n8n-workflow';

import type { Conversation } from '../../../lib/chat/prompt';
import { optional } from '../../../lib/values';
import { booleanField, jsonField } from '../../shared/field-kinds';
import { modelField } from '../../shared/model-field';
import type { NodeParameters } from '../../shared/parameters';
import type { LlamaCall } from '../operation';
import { listIn } from '../lists';
import { messagesIn } from '../text/messages';

/** A server with one model needs no name. */
export const tokenModelField = modelField(
	{
		description:
			'The model whose tokens are meant. A server with one model, such as llama-server, needs none.',
	},
	{ search: 'searchAllModels' },
);

export const specialTokenFields: INodeProperties[] = [
	booleanField('Add Special Tokens', 'addSpecial', false, {
		description:
			'Whether to add what the model puts around every text, such as a token for its beginning',
	}),
	booleanField('Parse Special Tokens', 'parseSpecial', false, {
		description:
			'Whether marks such as im_start in the text are special tokens. Leave it off for text of users, which the model must not take for commands.',
	}),
];

/** Reads these fields. */
export function specialTokensIn(parameters: NodeParameters) {
	return {
		addSpecial: parameters.flag('options.addSpecial', false),
		parseSpecial: parameters.flag('options.parseSpecial', false),
	};
}

/** Options for the chat template. */
export const templateOptions: INodeProperties[] = [
	jsonField('Chat Template Arguments', 'templateArguments', '{}', {
		description: 'JSON object handed to the chat template of the model (chat_template_kwargs)',
	}),
	jsonField('Tools', 'tools', '[]', {
		description:
			'List of tools in the form of the OpenAI API, which the template writes into the prompt',
	}),
];

/** The conversation of an item, with these options. */
export async function conversationIn(call: LlamaCall): Promise<Conversation> {
	const { parameters } = call;
	const tools = listIn(parameters, 'options.tools');
	const templateArguments = parameters.object('options.templateArguments', undefined);
	return {
		messages: await messagesIn(call),
		tools,
		...optional({ templateArguments }),
	};
}
