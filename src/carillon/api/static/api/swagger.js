// The API's console. A file of its own, so that the page needs no inline script.
const place = document.getElementById("swagger-ui");
const banner = document.getElementById("banner");

const ui = SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  persistAuthorization: false,
  displayRequestDuration: true,
  requestSnippetsEnabled: true,
  defaultModelsExpandDepth: 0,
  presets: [SwaggerUIBundle.presets.apis],
});

// The word in the token says whether it can reach a real phone.
function showKind() {
  const given = ui.authSelectors.authorized().toJS().Bearer;
  const isTest = Boolean(given && String(given.value).includes("cr_test_"));
  banner.className = isTest ? "banner test" : "banner real";
  banner.textContent = isTest
    ? "Test token: messages reach the simulator only."
    : "Be careful: messages sent from this page are really sent and paid for, unless you authorize with a test token.";
}

ui.getStore().subscribe(showKind);
