/** Every operation of Dify Feedback, as a person sees it in the editor. */
import { describeScreens } from '../support/describe-screens';

describeScreens('difyFeedback', {
	'Dify Feedback rate': {
		asAdded: 'This item has no messageId Add this node after Dify Chat Message',
	},
	'Dify Feedback getAll': { asAdded: 'Vicuna.txt' },
	'Dify Feedback revoke': {
		asAdded: 'This item has no messageId Add this node after Dify Chat Message',
	},
});
