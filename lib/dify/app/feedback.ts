import type { ListEndpoint } from '../pagination';

/** Newest first: of the users, and of the team in Dify's console. A larger page is answered with 400 (docs/protocols/dify.md 2.6). */
export const FEEDBACK_LIST: ListEndpoint = { path: '/app/feedbacks', size: 101 };
