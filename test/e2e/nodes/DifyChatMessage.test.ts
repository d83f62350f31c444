/** Dify Chat Message, as a person sees it in the editor. */
import { describeScreens } from '../support/describe-screens';

/** The text that the server streams. */
const GENERATED = 'The llama is a domesticated animal';

describeScreens('difyChatMessage', {
	// The form of the app has a field that Dify requires.
	'Dify Chat Message': {
		reads: '{{ $json.chatInput }}',
		asAdded: 'This item has no chatInput It comes from a Chat Trigger',
		result: GENERATED,
		chat: GENERATED,
		isInGate: true,
	},
});
