/** Dify Event Trigger, as a person sees it in the editor. */
import { describeTrigger } from '../support/describe-trigger';

describeTrigger('difyTrigger', {
	credentialType: 'difyApi',
	listed: 'Dify Event',
	action: 'When a message is rated',
	result: '-7a40-4b0c-9d1e-5b2f8a6c7d90',
});
