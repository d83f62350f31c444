/** Every operation of Dify Knowledge, as a person sees it in the editor. */
import { describeScreens } from '../support/describe-screens';

const NO_KNOWLEDGE_BASE = 'Parameter "Knowledge Base" is required';

describeScreens('difyKnowledge', {
	'Dify Knowledge knowledgeBase retrieve': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge knowledgeBase getAll': { asAdded: 'Vicuna.txt' },
	'Dify Knowledge knowledgeBase get': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge knowledgeBase create': { asAdded: 'Parameter "Name" is required' },
	'Dify Knowledge knowledgeBase update': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge knowledgeBase delete': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge document sync': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge document upsertFile': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge document upsertText': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge document getAll': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge document get': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge document getStatus': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge document setStatus': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge document download': {
		asAdded: NO_KNOWLEDGE_BASE,
		result: 'Mime Type: text/plain',
		isFile: true,
	},
	'Dify Knowledge document delete': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge chunk getAll': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge chunk get': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge chunk create': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge chunk update': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge chunk delete': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge metadata set': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge metadata getFields': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge metadata createField': { asAdded: NO_KNOWLEDGE_BASE },
	'Dify Knowledge pipeline run': { asAdded: NO_KNOWLEDGE_BASE },
});
