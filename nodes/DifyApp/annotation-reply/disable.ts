import { setting } from './setting';

export const annotationReplyDisable = setting(
	'disable',
	'Disable',
	'Let the model answer every question',
	[],
);
