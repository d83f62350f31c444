/** Server Health Trigger, as a person sees it in the editor. */
import { describeTrigger } from '../support/describe-trigger';

describeTrigger('serverHealthTrigger', {
	credentialType: 'localLlamaApi',
	listed: 'Server Health',
	action: 'When a server becomes unhealthy',
	// The check of a server that refuses the key is its result.
	withWrongCredential: 'Invalid API Key',
	result: 'is healthy llama-server responds in',
});
