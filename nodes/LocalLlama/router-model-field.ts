import { modelField } from '../shared/model-field';

export const routerModelField = modelField(
	{ description: 'Only for a router and llama-swap. A llama-server with one model needs none.' },
	{ search: 'searchAllModels' },
);
