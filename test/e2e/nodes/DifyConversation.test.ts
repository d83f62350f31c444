/** Every operation of Dify Conversation, as a person sees it in the editor. */
import { describeScreens } from '../support/describe-screens';

const NO_CONVERSATION = 'Parameter "Conversation" is required';

describeScreens('difyConversation', {
	'Dify Conversation conversation getAll': { asAdded: 'Vicuna.txt' },
	'Dify Conversation conversation rename': { asAdded: NO_CONVERSATION },
	'Dify Conversation conversation delete': { asAdded: NO_CONVERSATION },
	'Dify Conversation message getAll': { asAdded: NO_CONVERSATION },
	'Dify Conversation message getSuggested': { asAdded: 'This item has no messageId' },
	'Dify Conversation variable getAll': { asAdded: NO_CONVERSATION },
	'Dify Conversation variable update': { asAdded: NO_CONVERSATION },
});
